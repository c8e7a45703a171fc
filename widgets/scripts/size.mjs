// Prints the gzipped size of every built file, and fails when what one CRM page loads is above the budget.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 60;
const dist = fileURLToPath(new URL("../../cti_bridge/widgets/dist", import.meta.url));
/** What a CRM page loads: the one script tag and the panel in its frame, or the page made for the CRM. */
const LOADS = { "a page with embed.js": ["embed.js", "panel.html"], "the phone in Salesforce": ["salesforce.html"] };
const REFERENCE = /(?:src|href)="(\.\/[^"]+)"|(?:from|import)\s*\(?["'`](\.{1,2}\/[^"'`]+)["'`]/g;

const filesUnder = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });

const kilobytes = (path) => gzipSync(readFileSync(path), { level: 9 }).length / 1000;

/** A file and everything that it names, in its markup or its imports, whether or not it loads it in the end. */
function closure(path, found = new Set()) {
  if (found.has(path) || !existsSync(path)) return found;
  found.add(path);
  if (!/\.(html|js|css)$/.test(path)) return found;
  for (const [, markup, module] of readFileSync(path, "utf8").matchAll(REFERENCE)) {
    closure(join(dirname(path), markup ?? module), found);
  }
  return found;
}

const row = (size, what) => process.stdout.write(`${size.toFixed(1).padStart(7)} kB gzipped  ${what}\n`);

for (const path of filesUnder(dist).sort()) row(kilobytes(path), relative(dist, path));
for (const [what, entries] of Object.entries(LOADS)) {
  const files = new Set(entries.flatMap((entry) => [...closure(join(dist, entry))]));
  if (files.size <= entries.length) {
    process.stderr.write(`Nothing was found that ${entries.join(" and ")} load. This script no longer understands the build.\n`);
    process.exit(1);
  }
  const total = [...files].reduce((sum, path) => sum + kilobytes(path), 0);
  row(total, `in all for ${what}, of ${BUDGET_KB} allowed`);
  if (total > BUDGET_KB) {
    process.stderr.write("The widget is too heavy for a CRM page: find what grew, or raise the budget on purpose.\n");
    process.exit(1);
  }
}
