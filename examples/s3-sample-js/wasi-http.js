// The SDK's HTTP over `wasi:http` itself. The engine's own `fetch` would do for a few requests, but it gives nothing
// back: every request, and every piece of an answer, leaves entries in the host's table of what the task holds, which
// is full after some hundred. Here each is given back as soon as it is done with.
//
// A request blocks the task until its answer's head is there, so requests go one after another. Absent: timeouts, which
// are the host's.
import { buildQueryString, HttpResponse } from "@smithy/core/protocols";
import { handle } from "wasi:http/outgoing-handler@0.2.3";
import { Fields, OutgoingBody, OutgoingRequest } from "wasi:http/types@0.2.3";

const dispose = Symbol.dispose ?? Symbol.for("dispose");
const PIECE_BYTES = 64 * 1024;

// Those of the connection, which wasi:http leaves to the host, and refuses.
const HOSTS_OWN = new Set(["connection", "host", "keep-alive", "transfer-encoding", "upgrade"]);

/** A `requestHandler` for any client of the SDK. */
export class WasiHttpHandler {
  async handle(request, { abortSignal } = {}) {
    if (abortSignal?.aborted) throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
    const outgoing = head(request);
    const body = outgoing.body();
    let answer, future;
    try {
      // Sent before the body, so that the host takes the body while it is written.
      future = handle(outgoing, undefined);
      await write(body, request.body);
      answer = wait(future);
    } catch (error) {
      throw failure(error, request);
    } finally {
      future?.[dispose]();
    }
    const headers = {};
    const fields = answer.headers();
    for (const [name, value] of fields.entries()) headers[name] = new TextDecoder().decode(value);
    fields[dispose]();
    const response = new HttpResponse({ statusCode: answer.status(), headers, body: read(answer.consume()) });
    answer[dispose]();
    return { response };
  }

  updateHttpClientConfig() {}

  httpHandlerConfigs() {
    return {};
  }
}

function head({ protocol, hostname, port, method, path, query, headers }) {
  const entries = Object.entries(headers).filter(([name]) => !HOSTS_OWN.has(name.toLowerCase()));
  const outgoing = new OutgoingRequest(Fields.fromList(entries.map(([name, value]) => [name, bytes(value)])));
  const queryString = buildQueryString(query ?? {});
  outgoing.setMethod({ tag: "other", val: method });
  outgoing.setScheme({ tag: protocol === "http:" ? "HTTP" : "HTTPS" });
  outgoing.setAuthority(port ? `${hostname}:${port}` : hostname);
  outgoing.setPathWithQuery(queryString ? `${path}?${queryString}` : path);
  return outgoing;
}

/** Writes text, bytes, a `Blob` or a `ReadableStream` to its end. */
async function write(body, content) {
  const stream = body.write();
  let failed;
  try {
    for await (const piece of pieces(content)) {
      for (let rest = piece; rest.length > 0; ) {
        const room = Number(stream.checkWrite());
        if (room === 0) {
          block(stream.subscribe());
          continue;
        }
        stream.write(rest.subarray(0, room));
        rest = rest.subarray(room);
      }
    }
    stream.blockingFlush();
  } catch (error) {
    // Where the host has enough of it, its answer says why.
    if (error.payload?.tag !== "closed") failed = error;
  }
  stream[dispose]();
  if (failed) {
    body[dispose]();
    throw failed;
  }
  OutgoingBody.finish(body, undefined);
}

async function* pieces(content) {
  if (content === undefined || content === null) return;
  const stream = typeof content.stream === "function" ? content.stream() : content;
  if (typeof stream.getReader !== "function") {
    yield bytes(content);
    return;
  }
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield bytes(next.value);
}

function bytes(content) {
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (ArrayBuffer.isView(content)) return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  return new Uint8Array(content);
}

/** The answer's head. */
function wait(future) {
  let got = future.get();
  while (got === undefined) {
    block(future.subscribe());
    got = future.get();
  }
  // Two results: whether it was asked for the first time, and what came.
  const came = got.val;
  if (came.tag === "err") throw Object.assign(new Error("no answer"), { payload: came.val });
  return came.val;
}

function block(pollable) {
  pollable.block();
  pollable[dispose]();
}

/** The answer's body, read as it is wanted. */
function read(body) {
  const stream = body.stream();
  // The stream has to go before the body that it is of.
  const release = () => {
    stream[dispose]();
    body[dispose]();
  };
  return new ReadableStream({
    pull(controller) {
      try {
        controller.enqueue(stream.blockingRead(BigInt(PIECE_BYTES)));
      } catch (error) {
        release();
        if (error.payload?.tag === "closed") controller.close();
        else controller.error(new Error("the answer broke off"));
      }
    },
    cancel: release,
  });
}

/** An error of the SDK's kind, so that its retries hold for what may be tried again. */
function failure(error, { hostname }) {
  const code = error.payload?.tag;
  if (code === undefined) return error;
  const retried = /^(DNS|destination|connection)|timeout|incomplete/.test(code);
  return Object.assign(new Error(`${hostname}: ${code}`), { name: code, ...(retried && { $retryable: {} }) });
}
