// The mobile screen of a record, from its desktop address.

const DESKTOP = /^(https?:\/\/[^/]+\/k\/)(\d+)\/show#record=(\d+)$/;

/**
 * "https://acme.cybozu.com/k/27/show#record=5" becomes "…/k/m/27/show?record=5". Guest spaces and other addresses stay
 * as they are: kintone documents no mobile address, this form was seen to work in ordinary apps.
 */
export function mobileAddress(url: string): string {
  return url.replace(DESKTOP, "$1m/$2/show?record=$3");
}
