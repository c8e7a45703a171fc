export function readKey(path: string): { readonly pem: string; readonly made: boolean };
export function pluginId(publicKey: Uint8Array): string;
export function contents(folder?: string): Promise<Record<string, Uint8Array>>;
export function checkManifest(manifest: object, files: Readonly<Record<string, Uint8Array>>): void;
export function pack(files: Readonly<Record<string, Uint8Array>>, pem: string): { readonly zip: Uint8Array; readonly id: string };
