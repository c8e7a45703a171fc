// Builds and signs the kintone plug-in: bundles, checks the manifest with kintone's own validator, packs contents.zip + PUBKEY + SIGNATURE.
// The layout of the archive and of the plug-in's id is that of kintone's packer (github.com/kintone/cli-kintone, src/plugin/core).
//
//   npm run build:kintone -- [--key private.ppk] [--out plugin.zip]
//
// The key decides the plug-in's id, and with it which installed plug-in an upload replaces: keep it. CTI_KINTONE_KEY names it, too.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { zipSync } from "fflate";
import { build } from "vite";

const validateManifest = createRequire(import.meta.url)("@kintone/plugin-manifest-validator").default;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SOURCE = here("../kintone");
const KEY = here("../kintone/private.ppk");
const OUT = here("../../dist/kintone/cti-bridge-kintone.zip");
/** What kintone's packer makes. It names the plug-in; nothing is kept secret with it. */
const KEY_BITS = 1024;
/** Zip files hold local times from 1980 on; a fixed one makes the same source give the same bytes. */
const TIME = new Date(1980, 0, 1);

/** The key in the file, made on the first build: {pem, made}. Never overwrites. */
export function readKey(path) {
  try {
    return { pem: readFileSync(path, "utf8"), made: false };
  } catch (problem) {
    if (problem.code !== "ENOENT") throw problem;
  }
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: KEY_BITS });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, pem, { mode: 0o600, flag: "wx" });
  return { pem, made: true };
}

/** The plug-in's id: the first half of the public key's hash, its digits written as the letters a to p. */
export function pluginId(publicKey) {
  const hash = createHash("sha256").update(publicKey).digest("hex").slice(0, 32);
  return hash.replace(/./g, (digit) => "abcdefghijklmnop"[Number.parseInt(digit, 16)]);
}

/** The manifest in force and every file it names, by path: {"manifest.json": Uint8Array, "desktop.js": …}. */
export async function contents(folder = SOURCE) {
  const { version } = JSON.parse(readFileSync(here("../package.json"), "utf8"));
  const manifest = { ...JSON.parse(readFileSync(resolve(folder, "manifest.json"), "utf8")), version };
  const { html, js = [], css = [] } = manifest.config ?? {};
  const scripts = [...(manifest.desktop?.js ?? []), ...(manifest.mobile?.js ?? []), ...js];
  const others = [manifest.icon, html, ...css].filter((name) => name !== undefined);
  const files = { "manifest.json": Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`) };
  for (const name of others) files[name] = readFileSync(resolve(folder, name));
  for (const name of new Set(scripts)) files[name] = await bundle(resolve(folder, "src", name.replace(/js$/, "ts")));
  checkManifest(manifest, files);
  return files;
}

/** Throws with every mistake that kintone's validator finds. */
export function checkManifest(manifest, files) {
  const found = validateManifest(manifest, {
    relativePath: (path) => !/^https?:|^\/|(^|\/)\.\.(\/|$)/.test(path),
    fileExists: (path) => path in files,
    maxFileSize: (most, path) => (files[path]?.length ?? 0) <= most,
  });
  if (found.valid) return;
  const mistakes = found.errors.map(({ instancePath, message }) => `manifest.json ${instancePath}: ${message}`);
  throw new Error(mistakes.join("\n"));
}

/** One script that runs by itself: kintone gives each plug-in's file its $PLUGIN_ID only while it is first run. */
async function bundle(entry) {
  const { output } = [
    await build({
      configFile: false,
      logLevel: "warn",
      publicDir: false,
      build: {
        write: false,
        target: "es2022",
        lib: { entry, name: "CTIBridgeKintone", formats: ["iife"], fileName: () => "plugin.js" },
      },
    }),
  ].flat()[0];
  return Buffer.from(output[0].code);
}

/** The signed plug-in: {zip, id}. */
export function pack(files, pem) {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const inner = Buffer.from(zipSync(files, { mtime: TIME, level: 9 }));
  const signature = sign("sha1", inner, privateKey);
  const parts = { "contents.zip": inner, PUBKEY: publicKey, SIGNATURE: signature };
  return { zip: Buffer.from(zipSync(parts, { mtime: TIME, level: 0 })), id: pluginId(publicKey) };
}

async function main() {
  const { values } = parseArgs({ options: { key: { type: "string" }, out: { type: "string" } } });
  const keyFile = resolve(values.key ?? process.env.CTI_KINTONE_KEY ?? KEY);
  const out = resolve(values.out ?? OUT);
  const files = await contents();
  const { pem, made } = readKey(keyFile);
  const { zip, id } = pack(files, pem);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, zip);
  for (const [name, bytes] of Object.entries(files)) {
    process.stdout.write(`${(bytes.length / 1000).toFixed(1).padStart(7)} kB  ${name}\n`);
  }
  process.stdout.write(`plug-in ${id}\n${out}\n`);
  if (made) process.stdout.write(`A new key was made: ${keyFile}\nKeep it safe. With another key kintone takes the next version for another plug-in.\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
