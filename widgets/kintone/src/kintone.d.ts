// The part of kintone's published JavaScript API that the plug-in uses, and nothing else of kintone.
// https://cybozu.dev/ja/kintone/docs/js-api/ (read in November 2026)

export interface KintoneField {
  readonly type?: string;
  value: unknown;
}

/** Field code → field. "$id" holds the record's number as text. */
export type KintoneRecord = Record<string, KintoneField | undefined>;

export interface KintoneEvent {
  readonly type: string;
  /** A number, or in some of the list's events its text. */
  readonly appId: number | string;
  readonly recordId?: number | string;
  readonly record?: KintoneRecord;
  /** In the list's show event: an array in the order of the rows; an object of arrays in calendars. */
  readonly records?: readonly KintoneRecord[] | object;
}

export interface KintoneApp {
  getId(): number | null;
  /** Of the list's rows, in their order; null where the field or the list is not shown. */
  getFieldElements(code: string): HTMLElement[] | null;
  readonly record: {
    /** Null on the create and edit screens, in tables, and without the right to view the field. */
    getFieldElement(code: string): HTMLElement | null;
  };
}

export interface KintoneFormField {
  readonly type: string;
  readonly code: string;
  readonly label: string;
  /** Of LINK fields. */
  readonly protocol?: "WEB" | "CALL" | "MAIL";
  /** Of text that kintone calculates: nobody else may write it. */
  readonly expression?: string;
  readonly lookup?: object;
}

/** Body, status, headers. */
export type KintoneAnswer = [string, number, Record<string, string>];

export interface KintoneStoredProxy {
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

export interface Kintone {
  /** Only while the plug-in's own script is being run for the first time. */
  readonly $PLUGIN_ID: string;
  readonly events: {
    on(types: string | readonly string[], handler: (event: KintoneEvent) => unknown): void;
  };
  readonly app: KintoneApp & {
    /** On app screens and plug-in settings screens. */
    getFormFields(): Promise<Record<string, KintoneFormField>>;
  };
  readonly mobile: { readonly app: KintoneApp };
  /** Told by the browser's page; anybody can forge it. */
  getLoginUser(): { readonly code: string; readonly name: string; readonly email: string; readonly language: string };
  /** Rejects with a text when kintone's servers could not ask; HTTP errors resolve. */
  proxy(url: string, method: string, headers: object, data: object | string): Promise<KintoneAnswer>;
  readonly plugin: {
    readonly app: {
      /** Null before the first save. */
      getConfig(pluginId: string): Record<string, string> | null;
      /** Settings screen only. Without a callback the browser goes back to the list of plug-ins. */
      setConfig(config: Record<string, string>, done?: () => void): void;
      /** Not on the settings screen. Adds what setProxyConfig stored for the start of this address and this method. */
      proxy(pluginId: string, url: string, method: string, headers: object, data: object | string): Promise<KintoneAnswer>;
      /** Settings screen only. */
      setProxyConfig(url: string, method: string, headers: object, data: object, done?: () => void): void;
      /** Settings screen only; null elsewhere and where nothing is stored. */
      getProxyConfig(url: string, method: string): KintoneStoredProxy | null;
    };
  };
}

declare global {
  const kintone: Kintone;
}
