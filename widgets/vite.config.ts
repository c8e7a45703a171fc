// Two builds into the Python package: the pages (the panel, and the one for Salesforce) with their hashed assets, and embed.js under its fixed name.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const outDir = here("../cti_bridge/widgets/dist");

export default defineConfig(({ mode }) => ({
  base: "./",
  publicDir: false,
  build:
    mode === "embed"
      ? {
          outDir,
          emptyOutDir: false,
          target: "es2022",
          lib: {
            entry: here("src/embed/embed.ts"),
            name: "CTIBridgeEmbed",
            formats: ["iife"],
            fileName: () => "embed.js",
          },
        }
      : {
          outDir,
          emptyOutDir: true,
          target: "es2022",
          modulePreload: { polyfill: false },
          rolldownOptions: { input: [here("panel.html"), here("salesforce.html"), here("recording.html")] },
        },
  test: {
    environment: "happy-dom",
    environmentOptions: { happyDOM: { settings: { enableIframePageLoading: true } } },
    include: ["tests/**/*.test.ts"],
    restoreMocks: true,
  },
}));
