// TOML in colours: words with a class each, line by line. What does not look like TOML stays plain.
import { el } from "./dom.js";

// Each part takes whatever it begins with in one go, so that no text makes it try again and again.
const TOKEN = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>"""(?:\\[\s\S]|(?!""")[^\\])*(?:"""|\\?(?![\s\S]))|'''(?:(?!''')[\s\S])*(?:'''|(?![\s\S]))|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)/,
    /(?<header>^[ \t]*\[\[?[\w .'"-]*\]\]?)/,
    /(?<word>[\w.:+-]+)/,
  ].map((part) => part.source).join("|"),
  "gm",
);
const ASSIGNED = /[ \t]{0,20}=/y;
const VALUE = /^(?:true|false|[+-]?(?:\d|inf$|nan$))/;
const LARGEST = 200_000;
const MOST_WORDS = 300;

function kindOf(match, text) {
  const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
  if (kind !== "word") return kind;
  ASSIGNED.lastIndex = match.index + match[0].length;
  if (ASSIGNED.test(text)) return "key";
  return VALUE.test(match[0]) ? "value" : "";
}

/** Return the lines of a text, each a list of [class or "", text]. */
export function lines(text) {
  const found = [[]];
  const add = (kind, part) => {
    part.split("\n").forEach((piece, number) => {
      if (number) found.push([]);
      if (piece) found.at(-1).push([kind, piece]);
    });
  };
  let end = 0;
  if (text.length <= LARGEST) {
    for (const match of text.matchAll(TOKEN)) {
      add("", text.slice(end, match.index));
      add(kindOf(match, text), match[0]);
      end = match.index + match[0].length;
    }
  }
  add("", text.slice(end));
  // What has so many words in a line is no TOML that somebody reads.
  return found.map((words) => (words.length > MOST_WORDS ? [["", words.map(([, piece]) => piece).join("")]] : words));
}

/** Return one line as elements. */
export function lineOf(words) {
  return words.map(([kind, text]) => (kind ? el("span", { class: `toml-${kind}` }, text) : text));
}

/** Return a text in colours. */
export function highlighted(text) {
  return lines(text).flatMap((line, number) => (number ? ["\n", ...lineOf(line)] : lineOf(line)));
}
