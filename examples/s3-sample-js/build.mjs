// Bundles the sample with the SDK, and makes a component of it: `node build.mjs OUTPUT`, after `npm ci`.
// componentize-js imports `preview2-shim` without naming it among its dependencies, so package.json does.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";
import * as esbuild from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const output = process.argv[2] ?? join(here, "s3-sample-js.wasm");

// Two modules of the SDK that a bundler for browsers takes in a form which asks for more than the engine has.
const replaced = [
  // The defaults of a client, see there.
  { importer: /client-s3.dist-es/, module: "./runtimeConfig", by: () => join(here, "sdk-defaults.js") },
  // The browser's parser of XML is `DOMParser`; the SDK's other one is JavaScript alone.
  { importer: /xml-builder.dist-es/, module: "./xml-parser", by: (folder) => join(folder, "xml-parser.js") },
];
const used = new Set();

const bundle = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ["component.js"],
  bundle: true,
  write: false,
  platform: "browser",
  format: "esm",
  external: ["wasi:*"],
  plugins: [
    {
      name: "replaced",
      setup(build) {
        build.onResolve({ filter: /^\.\/(runtimeConfig|xml-parser)$/ }, ({ path, importer, resolveDir }) => {
          const rule = replaced.find((rule) => rule.module === path && rule.importer.test(importer));
          if (!rule) return undefined;
          used.add(rule);
          return { path: rule.by(resolveDir) };
        });
      },
    },
  ],
});
for (const rule of replaced) {
  if (!used.has(rule)) throw new Error(`the SDK has no ${rule.module} any more: look again at build.mjs`);
}

const { component } = await componentize(bundle.outputFiles[0].text, {
  witPath: join(here, "world.wit"),
  worldName: "sample",
  // The one part of the engine that a command has no use for: it serves requests.
  disableFeatures: ["fetch-event"],
});
await writeFile(output, component);
