// The sample of the announcement of IAM roles for Amazon ECS tasks, in C. There is no AWS SDK here and no key: a call
// is handed to the host as it is, and the host signs it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bindings/guest.h"

#define KEY "hello_world.txt"

// With the terminating zero.
#define UUID_BYTES 37

// Writes a random UUID, version 4 of RFC 9562. False where there is no randomness to be had.
static bool make_uuid(char uuid[static UUID_BYTES]) {
    unsigned char b[16];
    if (getentropy(b, sizeof b) != 0) {
        return false;
    }
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(uuid, UUID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
    return true;
}

// What the XML element `name` holds, written to `text` and cut where that is full. False where there is none.
static bool element(const char *xml, const char *name, char *text, size_t size) {
    char tag[32];
    snprintf(tag, sizeof tag, "<%s>", name);
    const char *begin = strstr(xml, tag);
    if (begin == NULL) {
        return false;
    }
    begin += strlen(tag);
    snprintf(text, size, "%.*s", (int)strcspn(begin, "<"), begin);
    return true;
}

// Says what the service answered, its code first.
static void report_answer(const rolebox_aws_signed_call_response_t *answer) {
    char code[64], message[1024] = "";
    // The text of S3's answer, which has no zero at its end.
    char *xml = strndup((const char *)answer->body.ptr, answer->body.len);
    if (xml == NULL || !element(xml, "Code", code, sizeof code)) {
        snprintf(code, sizeof code, "%d", answer->status);
    } else {
        element(xml, "Message", message, sizeof message);
    }
    fprintf(stderr, "%s: %s\n", code, message);
    free(xml);
}

// Says why there is no answer, under the code that the service would have used where it has one.
static void report_error(const rolebox_aws_signed_call_error_t *error) {
    guest_string_t reason = {0};
    const char *code;
    switch (error->tag) {
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_DENIED:
        code = "AccessDenied";
        reason = error->val.denied.reason;
        break;
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_INVALID_REQUEST:
        code = "InvalidRequest";
        reason = error->val.invalid_request;
        break;
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_TOO_LARGE:
        code = "EntityTooLarge";
        break;
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_CREDENTIALS_UNAVAILABLE:
        code = "CredentialsUnavailable";
        reason = error->val.credentials_unavailable;
        break;
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_ENDPOINT_UNREACHABLE:
        code = "EndpointUnreachable";
        reason = error->val.endpoint_unreachable;
        break;
    case ROLEBOX_AWS_SIGNED_CALL_ERROR_TIMED_OUT:
        code = "RequestTimeout";
        break;
    default:
        code = "LimitExceeded";
        reason = error->val.quota;
        break;
    }
    fprintf(stderr, "%s: %.*s\n", code, (int)reason.len, (const char *)reason.ptr);
}

// Puts `body` to this path of S3. False where that failed, which is then said.
static bool put(const char *path, const char *body) {
    rolebox_aws_signed_call_request_t request = {0};
    guest_string_set(&request.service, "s3");
    guest_string_set(&request.method, "PUT");
    guest_string_set(&request.path, path);
    request.body = (guest_list_u8_t){(uint8_t *)body, strlen(body)};

    rolebox_aws_signed_call_response_t answer;
    rolebox_aws_signed_call_error_t error;
    if (!rolebox_aws_signed_call_call(&request, &answer, &error)) {
        report_error(&error);
        rolebox_aws_signed_call_error_free(&error);
        return false;
    }
    bool good = answer.status == 200;
    if (!good) {
        report_answer(&answer);
    }
    rolebox_aws_signed_call_response_free(&answer);
    return good;
}

int main(void) {
    char uuid[UUID_BYTES];
    if (!make_uuid(uuid)) {
        fputs("InternalError: no random bytes\n", stderr);
        return EXIT_FAILURE;
    }
    char bucket[128], object[160], where[256] = "";
    snprintf(bucket, sizeof bucket, "/node-sdk-sample-%s", uuid);
    snprintf(object, sizeof object, "%s/" KEY, bucket);

    // S3 wants the Region of a new bucket in words, save for us-east-1, which it takes only by silence.
    const char *region = getenv("AWS_REGION");
    if (region != NULL && strcmp(region, "us-east-1") != 0) {
        snprintf(where, sizeof where,
                 "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                 "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
                 region);
    }

    if (!put(bucket, where) || !put(object, "Hello World!")) {
        return EXIT_FAILURE;
    }
    // Without the slash that the path begins with.
    printf("Successfully uploaded data to %s\n", object + 1);
    return EXIT_SUCCESS;
}
