// What the theme leaves out for keyboards and screen readers: the buttons of a code block are no
// landmark of the page, and a table that is wider than the page can be scrolled with the keys.
"use strict";

function complete() {
  for (const buttons of document.querySelectorAll("nav.md-code__nav")) {
    buttons.setAttribute("role", "none");
  }
  for (const wide of document.querySelectorAll(".md-typeset__scrollwrap, .highlight code")) {
    if (wide.scrollWidth > wide.clientWidth) {
      wide.setAttribute("tabindex", "0");
    }
  }
}

new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
window.addEventListener("resize", complete);
complete();
