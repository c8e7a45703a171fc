// The linker on host pages: late, hostile, and full of handlers of their own.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../src/embed/dial-button-define.js";
import { DialEvent } from "../src/embed/dial-button.js";
import { Linker } from "../src/embed/linker.js";

let linker: Linker | null = null;
let dialled: [string, string | null][] = [];

/** Test pages are written as markup; the code under test never does that. */
function page(markup: string): void {
  document.body.replaceChildren(document.createRange().createContextualFragment(markup));
}

function start(selector = 'a[href^="tel:" i], .phone'): void {
  linker = new Linker(document, selector, { dial: (number, record) => dialled.push([number, record]) });
  linker.start();
}

const buttons = (): string[] =>
  [...document.querySelectorAll("cti-dial")].map((one) => one.getAttribute("number") ?? "");
const pause = (): Promise<unknown> => vi.advanceTimersByTimeAsync(200);
const find = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`no ${selector}`);
  return found;
};
function click(element: HTMLElement, init: MouseEventInit = {}): MouseEvent {
  const event = new MouseEvent("click", { bubbles: true, cancelable: true, composed: true, ...init });
  element.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  vi.useFakeTimers();
  dialled = [];
});
afterEach(() => {
  linker?.stop();
  linker = null;
  vi.useRealTimers();
});

describe("the linker", () => {
  it("puts one button behind each number of a configured element", () => {
    page(
      '<table><tr data-cti-record="4711"><td class="phone">０３ー５５５５ー０１４２ / 090-1234-5678</td></tr></table>',
    );
    start();
    expect(buttons()).toEqual(["03-5555-0142", "090-1234-5678"]);
    expect(find("cti-dial").getAttribute("record")).toBe("4711");
    expect(find("td").firstChild?.textContent).toBe("０３ー５５５５ー０１４２ / 090-1234-5678");
  });

  it("never puts a second one, however often it looks", async () => {
    page('<p class="phone">03-5555-0142</p>');
    start();
    const first = find("cti-dial");
    for (let round = 0; round < 5; round += 1) {
      document.body.append(document.createElement("i"));
      await pause();
    }
    expect(buttons()).toEqual(["03-5555-0142"]);
    expect(find("cti-dial")).toBe(first);
  });

  it("sees what the page renders late, in one look for a whole burst", async () => {
    page("<main></main>");
    start();
    for (let row = 0; row < 300; row += 1) {
      const cell = document.createElement("div");
      cell.className = "phone";
      cell.textContent = `03-5555-${String(row).padStart(4, "0")}`;
      find("main").append(cell);
    }
    expect(buttons()).toEqual([]);
    await pause();
    expect(buttons()).toHaveLength(300);
  });

  it("follows a number that changes, and one that goes", async () => {
    page('<p class="phone"><span>03-5555-0142</span></p>');
    start();
    const text = find("span").firstChild as Text;
    text.data = "06-6555-0177";
    await pause();
    expect(buttons()).toEqual(["06-6555-0177"]);
    text.data = "なし";
    await pause();
    expect(buttons()).toEqual([]);
  });

  it("puts its button back when the page redraws the element", async () => {
    page('<p class="phone">03-5555-0142</p>');
    start();
    find(".phone").textContent = "03-5555-0199";
    await pause();
    expect(buttons()).toEqual(["03-5555-0199"]);
  });

  it("takes its button away with an element inside a link, because it stands behind that link", async () => {
    page('<div><a href="/record/1"><span class="phone">03-5555-0142</span></a></div>');
    start();
    expect(find("a").nextElementSibling?.localName).toBe("cti-dial");
    find("a").remove();
    await pause();
    expect(buttons()).toEqual([]);
  });

  it.each([
    '<div contenteditable="true"><span class="phone">03-5555-0142</span></div>',
    '<input class="phone" value="03-5555-0142">',
    '<textarea class="phone">03-5555-0142</textarea>',
    '<div class="phone"><input value="1">03-5555-0142</div>',
    '<div data-cti-link="off"><p class="phone">03-5555-0142</p></div>',
    '<script type="text/plain" class="phone">03-5555-0142</script>',
    '<p class="phone">2026-11-21</p>',
  ])("leaves %s alone", (markup) => {
    page(markup);
    start();
    expect(buttons()).toEqual([]);
  });

  it("of nested matches only the innermost carries the button", () => {
    page('<div class="phone"><span class="phone">03-5555-0142</span></div>');
    start();
    expect(buttons()).toEqual(["03-5555-0142"]);
    expect(find("span").lastElementChild?.localName).toBe("cti-dial");
  });

  it("takes over a click on a tel: link without touching the link", () => {
    page('<a data-cti-record="7" class="phone" href="tel:+81-3-5555-0142;ext=1">03-5555-0142</a>');
    const before = find("a").outerHTML;
    start();
    const event = click(find("a"));
    expect(event.defaultPrevented).toBe(true);
    expect(dialled).toEqual([["+81-3-5555-0142", "7"]]);
    expect(find("a").outerHTML).toBe(before);
    expect(buttons()).toEqual([]);
  });

  it("leaves a tel: link to the page that handles it itself", () => {
    page('<a href="tel:0355550142">x</a>');
    start();
    find("a").addEventListener("click", (event) => event.preventDefault());
    click(find("a"));
    expect(dialled).toEqual([]);
  });

  it("the page's own handlers on a tel: link still run, before ours", () => {
    page('<a href="tel:0355550142">x</a>');
    start();
    const order: string[] = [];
    find("a").addEventListener("click", () => order.push(`page, ${dialled.length} dialled`));
    click(find("a"));
    expect(order).toEqual(["page, 0 dialled"]);
    expect(dialled).toHaveLength(1);
  });

  it.each([{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }, { button: 1 }])(
    "leaves a click with %j to the browser",
    (init) => {
      page('<a href="tel:0355550142">x</a>');
      start();
      expect(click(find("a"), init).defaultPrevented).toBe(false);
      expect(dialled).toEqual([]);
    },
  );

  it("a click on our button does not click the row around it", () => {
    page('<div id="row"><p class="phone">03-5555-0142</p></div>');
    start();
    let rows = 0;
    find("#row").addEventListener("click", () => {
      rows += 1;
    });
    const asked: string[] = [];
    document.addEventListener(DialEvent.type, (event) => asked.push((event as DialEvent).detail.number), {
      once: true,
    });
    const button = find("cti-dial").shadowRoot?.querySelector("button");
    if (button) click(button);
    expect(asked).toEqual(["03-5555-0142"]);
    expect(rows).toBe(0);
  });

  it("a broken selector is named, and tel: links still work", () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    page('<a href="tel:0355550142">x</a>');
    start("..phone[");
    click(find("a"));
    expect(dialled).toHaveLength(1);
    expect(warned.mock.calls[0]?.[0]).toContain("data-link-numbers");
  });

  it("only what is configured is taken over", () => {
    page('<a href="tel:0355550142">x</a>');
    start(".phone");
    expect(click(find("a")).defaultPrevented).toBe(false);
  });

  it("text with markup in it stays text", () => {
    page('<p class="phone">03-5555-0142 &lt;img src=x onerror=alert(1)&gt;</p>');
    start();
    expect(document.querySelector("img")).toBeNull();
    expect(buttons()).toEqual(["03-5555-0142"]);
  });

  it("takes everything off the page again when stopped", async () => {
    page('<p class="phone">03-5555-0142</p><a href="tel:0355550142">x</a>');
    start();
    linker?.stop();
    expect(buttons()).toEqual([]);
    expect(click(find("a")).defaultPrevented).toBe(false);
  });
});
