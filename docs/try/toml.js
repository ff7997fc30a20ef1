// TOML in colours: words with a class each, line by line. What does not look like TOML stays plain.
import { el } from "./dom.js";

const TOKEN = new RegExp(
  [
    /(?<comment>#[^\n]*)/,
    /(?<string>"""(?:\\[\s\S]|(?!""")[^\\])*(?:"""|(?![\s\S]))|'''(?:(?!''')[\s\S])*(?:'''|(?![\s\S]))|"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?)/,
    /(?<header>^[ \t]*\[\[?[\w .'"-]*\]\]?)/,
    /(?<key>[\w-]+(?:[ \t]*\.[ \t]*[\w-]+)*(?=[ \t]*=))/,
    /(?<value>\b(?:true|false|[+-]?\d[\w.:+-]*)\b)/,
  ].map((part) => part.source).join("|"),
  "gm",
);
const LARGEST = 200_000;

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
      if (!match[0]) continue;
      add("", text.slice(end, match.index));
      add(Object.keys(match.groups).find((name) => match.groups[name] !== undefined), match[0]);
      end = match.index + match[0].length;
    }
  }
  add("", text.slice(end));
  return found;
}

/** Return one line as elements. */
export function lineOf(words) {
  return words.map(([kind, text]) => (kind ? el("span", { class: `toml-${kind}` }, text) : text));
}

/** Return a text in colours. */
export function highlighted(text) {
  return lines(text).flatMap((line, number) => (number ? ["\n", ...lineOf(line)] : lineOf(line)));
}
