// Phone numbers as text on a page: made plain and found, never judged. The bridge alone decides what is a valid number.

const DASHES = /[\u2010-\u2015\u2212\u30fc\uff0d\uff70]/g;
const RUN = /(?:\+|\(\+?)?\d(?:[\d .()/-]*\d)?/g;
const FEWEST_DIGITS = 7;
const MOST_DIGITS = 16;

/** "０３ー１２３４ー５６７８ " becomes "03-1234-5678". */
export function plainNumber(text: string): string {
  return text.normalize("NFKC").replace(DASHES, "-").trim();
}

/** The number of a tel: link without its parameters: "tel:+81-3-1234-5678;ext=9" gives "+81-3-1234-5678". */
export function numberOfLink(href: string): string {
  const bare = href.replace(/^tel:/i, "").split(/[;?]/)[0] ?? "";
  try {
    return plainNumber(decodeURIComponent(bare));
  } catch {
    return plainNumber(bare);
  }
}

/** Every run of characters in a text that reads like a phone number, in order, each once. */
export function numbersIn(text: string): readonly string[] {
  const found = plainNumber(text)
    .split(/[,、;|\n\t]| \/ |\s{2,}/)
    .flatMap((part) => part.match(RUN) ?? [])
    // Two numbers with nothing but a space between them are too long to be one.
    .flatMap((run) => (digitsIn(run) > MOST_DIGITS ? run.split(" ") : [run.trim()]))
    .filter((run) => {
      const digits = digitsIn(run);
      return digits >= FEWEST_DIGITS && digits <= MOST_DIGITS && !/^\d{4}[/-]\d{1,2}[/-]\d{1,2}$/.test(run);
    });
  return [...new Set(found)];
}

function digitsIn(text: string): number {
  return text.replace(/\D/g, "").length;
}
