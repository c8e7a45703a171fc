// kintone vouches for its user: what is sent, what comes back, and what each refusal becomes.
import { beforeEach, describe, expect, it } from "vitest";
import { SECRET_HEADER, ticketAddress } from "../../kintone/src/settings.js";
import { vouch } from "../../kintone/src/vouch.js";
import { FakeKintone, PLUGIN } from "./fake-kintone.js";

const BRIDGE = "https://cti.example.co.jp";
let kintone: FakeKintone;

beforeEach(() => {
  kintone = new FakeKintone();
  kintone.stored.set(`POST ${ticketAddress(BRIDGE)}`, { headers: { [SECRET_HEADER]: "s3cret" }, data: {} });
});

describe("a ticket", () => {
  it("is asked for through kintone's proxy, which adds the secret that the page does not have", async () => {
    kintone.answer = () => ['{"ticket":"t-1","expires_in":60}', 201, {}];
    expect(await vouch(kintone, PLUGIN, BRIDGE)).toEqual({ ticket: "t-1" });
    expect(kintone.proxied).toEqual([
      {
        through: "plug-in",
        url: "https://cti.example.co.jp/api/session/ticket",
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", [SECRET_HEADER]: "s3cret" },
        data: { user: "hanako", email: "hanako@example.com" },
      },
    ]);
  });

  it.each([
    ['{"code":"vouching_off"}', 403, "vouching_off"],
    ['{"code":"wrong_secret"}', 403, "wrong_secret"],
    ['{"code":"agent_not_found"}', 404, "agent_not_found"],
    ['{"code":"server_error"}', 500, "refused"],
    ["<html>maintenance</html>", 503, "unreachable"],
    ['{"ticket":"t-1"}', 200, "refused"],
  ])("answer %s with %d: %s", async (body, status, problem) => {
    kintone.answer = () => [body, status, {}];
    expect(await vouch(kintone, PLUGIN, BRIDGE)).toEqual({ ticket: null, problem });
  });

  it("is none where kintone's servers cannot reach the bridge", async () => {
    kintone.answer = () => Promise.reject('{"code":"GAIA_PR01"}');
    expect(await vouch(kintone, PLUGIN, BRIDGE)).toEqual({ ticket: null, problem: "unreachable" });
  });
});
