// Where the SDK's defaults come from here. Its Node.js build takes Region and credentials from the environment; its
// browser build, the one for an engine that has the web's interfaces alone, wants them from the code. A task has an
// environment: its Region is there, and credentials that are visibly none, since it is the host that signs.
import { getRuntimeConfig as ofBrowser } from "@aws-sdk/client-s3/dist-es/runtimeConfig.browser";
import { getEnvironment } from "wasi:cli/environment@0.2.3";

import { WasiHttpHandler } from "./wasi-http.js";

export function getRuntimeConfig(config) {
  const environment = Object.fromEntries(getEnvironment());
  return ofBrowser({
    region: environment.AWS_REGION,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID, secretAccessKey: environment.AWS_SECRET_ACCESS_KEY },
    requestHandler: new WasiHttpHandler(),
    ...config,
  });
}
