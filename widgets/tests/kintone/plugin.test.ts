// @vitest-environment node
// The plug-in as kintone takes it: signed with the customer's own key, with a valid manifest, every file in it and none too large.
import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkManifest, contents, pack, pluginId, readKey } from "../../scripts/kintone-plugin.mjs";

const folder = mkdtempSync(join(tmpdir(), "cti-kintone-"));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("utf8");
let files: Record<string, Uint8Array>;
let key: string;

beforeAll(async () => {
  files = await contents();
  key = readKey(join(folder, "private.ppk")).pem;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

describe("the archive", () => {
  it("holds contents, public key and a signature that fits", () => {
    const outer = unzipSync(pack(files, key).zip);
    expect(Object.keys(outer).sort()).toEqual(["PUBKEY", "SIGNATURE", "contents.zip"]);
    const [inner, spki, signature] = [outer["contents.zip"], outer["PUBKEY"], outer["SIGNATURE"]];
    if (!inner || !spki || !signature) throw new Error("a part is missing");
    const publicKey = createPublicKey({ key: Buffer.from(spki), type: "spki", format: "der" });
    expect(verify("sha1", inner, publicKey, signature)).toBe(true);
    inner[inner.length - 1] = (inner[inner.length - 1] ?? 0) ^ 1;
    expect(verify("sha1", inner, publicKey, signature)).toBe(false);
  });

  it("holds every file that its manifest names, and no other", () => {
    const inner = unzipSync(unzipSync(pack(files, key).zip)["contents.zip"] ?? new Uint8Array());
    const manifest = JSON.parse(text(inner["manifest.json"]));
    const named = [
      "manifest.json",
      manifest.icon,
      ...manifest.desktop.js,
      ...manifest.mobile.js,
      manifest.config.html,
      ...manifest.config.js,
      ...manifest.config.css,
    ];
    expect(Object.keys(inner).sort()).toEqual([...new Set(named)].sort());
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(manifest.version).toBe(version);
  });

  it("is the same for the same source and key, byte for byte", () => {
    expect(Buffer.compare(pack(files, key).zip, pack(files, key).zip)).toBe(0);
  });

  it("holds no key and no secret", () => {
    for (const bytes of Object.values(files)) expect(text(bytes)).not.toMatch(/PRIVATE KEY/);
  });

  it("touches kintone through its published API only, and writes texts through text nodes only", () => {
    for (const name of ["desktop.js", "mobile.js", "config.js"]) {
      expect(text(files[name])).not.toMatch(/gaia|cybozu\.data|innerHTML|insertAdjacentHTML|document\.write|\beval\b/);
    }
  });
});

describe("the key", () => {
  it("is made once, for its owner's eyes only, and never made anew", () => {
    const path = join(folder, "new", "private.ppk");
    const first = readKey(path);
    expect(first.made).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readKey(path)).toEqual({ pem: first.pem, made: false });
    expect(readFileSync(path, "utf8")).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/);
  });

  it("decides the plug-in's id, whatever the contents are", () => {
    const other = readKey(join(folder, "other.ppk")).pem;
    expect(pack(files, key).id).toBe(pack({ "manifest.json": new Uint8Array([1]) }, key).id);
    expect(pack(files, key).id).not.toBe(pack(files, other).id);
    expect(pack(files, key).id).toMatch(/^[a-p]{32}$/);
  });

  it("gives the id that kintone gives: its hash in letters", () => {
    // printf abc | sha256sum → ba7816bf8f01cfea414140de5dae2223…
    expect(pluginId(new TextEncoder().encode("abc"))).toBe("lkhibglpipabmpokebebeanofnkocccd");
  });
});

describe("the manifest", () => {
  const manifest = (): Record<string, unknown> => JSON.parse(text(files["manifest.json"]));

  it("passes kintone's own validator", () => {
    expect(() => checkManifest(manifest(), files)).not.toThrow();
  });

  it.each<[string, (spoiled: Record<string, unknown>) => void, RegExp]>([
    ["no icon", (spoiled) => delete spoiled["icon"], /icon/],
    ["a script that is not there", (spoiled) => (spoiled["desktop"] = { js: ["lost.js"] }), /lost\.js|file should exist/],
    ["a name in no English", (spoiled) => (spoiled["name"] = { ja: "電話" }), /name.*en/],
    ["a version that is none", (spoiled) => (spoiled["version"] = "one"), /version/],
  ])("%s is refused, and named", (_, spoil, words) => {
    const spoiled = manifest();
    spoil(spoiled);
    expect(() => checkManifest(spoiled, files)).toThrow(words);
  });

  it("refuses a settings page larger than kintone takes", () => {
    const large = { ...files, "config.html": new Uint8Array(70_000) };
    expect(() => checkManifest(manifest(), large)).toThrow(/65535/);
  });

  it("tells customers in both languages that data leaves kintone", () => {
    const told = manifest() as { description: Record<string, string> };
    expect(told.description["ja"]).toContain("送受信");
    expect(told.description["en"]).toContain("travel between kintone and the bridge");
  });
});
