# Signs with botocore what comes in on stdin, and writes the Authorization headers to stdout.
#
# Each request is signed twice: its URL as Rolebox sends it, and a URL that botocore's own functions make of the decoded
# path and query that the request was meant to have.

import datetime
import json
import sys

from botocore import auth, utils
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

given = json.load(sys.stdin)
key = ReadOnlyCredentials(given["accessKeyId"], given["secretAccessKey"], given["sessionToken"])


def authorization(request, url):
    time = datetime.datetime.fromtimestamp(request["time"], datetime.timezone.utc)
    auth.get_current_datetime = lambda: time
    unsigned = AWSRequest(method=request["method"], url=url, data=bytes.fromhex(request["body"]))
    for name, value in request["headers"]:
        # This adds, also where the name is there already.
        unsigned.headers[name] = value
    signer = auth.S3SigV4Auth if request["service"] == "s3" else auth.SigV4Auth
    signer(key, request["service"], request["region"]).add_auth(unsigned)
    return unsigned.headers["Authorization"]


def meant(request):
    url = request["base"] + utils.percent_encode(request["path"], safe="/~")
    query = utils.percent_encode_sequence([tuple(pair) for pair in request["query"]])
    return url + "?" + query if query else url


json.dump([[authorization(r, r["url"]), authorization(r, meant(r))] for r in given["requests"]], sys.stdout)
