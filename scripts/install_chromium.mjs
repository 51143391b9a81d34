// Unpacks the Chromium of the npm package @sparticuz/chromium, its libraries and fonts among it, into
// tests/.chromium, and writes tests/.chromium/run, which starts it there. Run in tests/.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execFileSync } from "node:child_process";

const folder = join(process.cwd(), ".chromium");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
// The package unpacks into the folder for temporary files, and brings NSS only for this runtime.
process.env.TMPDIR = folder;
process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs20.x";

const require = createRequire(join(process.cwd(), "package.json"));
const found = await import(pathToFileURL(require.resolve("@sparticuz/chromium")).href);
const chromium = found.default.default ?? found.default;
const binary = await chromium.executablePath();

const run = join(folder, "run");
writeFileSync(
  run,
  `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
export LD_LIBRARY_PATH="$here/al2023/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export FONTCONFIG_PATH="$here/fonts"
exec "$here/chromium" "$@"
`,
);
chmodSync(run, 0o755);
console.log(execFileSync(run, ["--version"], { encoding: "utf8" }).trim(), binary);
