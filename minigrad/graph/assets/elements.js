// Elements of the page.  All text is set as text, never parsed.

const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "rect", "ellipse", "circle", "text", "tspan", "title"].includes(tag);
  const made = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Put these children in place of those that an element has.
function put(parent, ...children) {
  parent.replaceChildren(...children.filter((child) => child !== null));
}
