"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Tables: a button in each column's head sorts by the exact values.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const figure = cell && cell.querySelector("data");
    return figure ? Number(figure.value) : cell && !cell.querySelector(".none") ? cell.textContent.trim() : null;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  for (const table of all("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (head.hasAttribute("data-fixed")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("n") ? "descending" : "ascending";
        const direction = head.getAttribute("aria-sort") === first ? (first === "descending" ? "ascending" : "descending") : first;
        heads.forEach(h => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction);
        const body = table.tBodies[0];
        const rows = [...body.rows].map(row => ({ row, key: keyOf(row, column) }));
        const sign = direction === "ascending" ? 1 : -1;
        rows.sort((a, b) => a.key === null ? (b.key === null ? 0 : 1) : b.key === null ? -1 : sign * compare(a.key, b.key));
        body.append(...rows.map(r => r.row));
      });
    });
  }

  // A link to a head opens its fold.
  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", openTarget);
  all('a[href^="#head-"]').forEach(a => a.addEventListener("click", () => { document.getElementById(a.hash.slice(1)).open = true; }));
  openTarget();

  // The list of sections marks where the reader is.
  const links = new Map(all("nav a").map(a => [a.hash.slice(1), a]));
  if (links.size > 0 && "IntersectionObserver" in window) {
    const seen = new Set();
    const observer = new IntersectionObserver(entries => {
      entries.forEach(e => e.isIntersecting ? seen.add(e.target.id) : seen.delete(e.target.id));
      const current = all("section[id]").find(s => seen.has(s.id));
      links.forEach(a => a.removeAttribute("aria-current"));
      if (current && links.has(current.id)) links.get(current.id).setAttribute("aria-current", "true");
    }, { rootMargin: "-10% 0px -60% 0px" });
    all("section[id]").forEach(s => observer.observe(s));
  }

  // The map: one of its panels at a time, what a point is, chosen classes.
  const box = document.querySelector("[data-map]");
  if (box) {
    const data = JSON.parse(document.getElementById("figures").textContent);
    const tip = document.getElementById("tip");
    const panels = all("[data-panel]", box);
    const tabs = all("[role=tab]", box).filter(t => document.getElementById(t.getAttribute("aria-controls")));
    const show = tab => {
      tabs.forEach(t => { t.setAttribute("aria-selected", String(t === tab)); t.tabIndex = t === tab ? 0 : -1; });
      panels.forEach(p => { p.hidden = p.id !== tab.getAttribute("aria-controls"); });
    };
    if (tabs.length > 1) {
      box.querySelector(".tabs").hidden = false;
      panels.forEach(p => p.setAttribute("role", "tabpanel"));
      show(tabs[0]);
      tabs.forEach((tab, i) => {
        tab.addEventListener("click", () => show(tab));
        tab.addEventListener("keydown", e => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
          if (!step) return;
          const next = tabs[(i + step + tabs.length) % tabs.length];
          show(next);
          next.focus();
          e.preventDefault();
        });
      });
    }

    let here = null;
    const leave = () => { if (here) here.classList.remove("here"); here = null; tip.hidden = true; };
    const point = mark => {
      if (mark === here) return;
      leave();
      here = mark;
      mark.classList.add("here");
      const photo = data.map.points[Number(mark.dataset.i)];
      tip.replaceChildren();
      if (mark.dataset.t) {
        const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
        const side = document.getElementById(mark.dataset.t).getAttribute("width");
        svg.setAttribute("viewBox", `0 0 ${side} ${side}`);
        svg.setAttribute("class", "thumb");
        use.setAttribute("href", "#" + mark.dataset.t);
        svg.append(use);
        tip.append(svg);
      }
      for (const [tag, text, style] of [["b", data.data.classes[photo.class], ""], ["div", photo.split, "muted"], ["div", photo.path, "muted"]]) {
        const line = document.createElement(tag);
        const name = document.createElement("bdi");
        name.textContent = text;
        line.className = style;
        line.append(name);
        tip.append(line);
      }
      tip.hidden = false;
      const at = mark.getBoundingClientRect();
      const left = at.right + 12 + tip.offsetWidth > document.documentElement.clientWidth ? at.left - 12 - tip.offsetWidth : at.right + 12;
      tip.style.left = Math.max(8, left) + scrollX + "px";
      tip.style.top = Math.max(8, Math.min(at.top, document.documentElement.clientHeight - tip.offsetHeight - 8)) + scrollY + "px";
    };
    for (const map of all("svg.map", box)) {
      map.addEventListener("pointermove", e => {
        if (e.target.dataset && e.target.dataset.i) { point(e.target); return; }
        leave();
      });
      map.addEventListener("pointerdown", e => { if (e.target.dataset.i) point(e.target); });
      map.addEventListener("pointerleave", e => { if (e.pointerType === "mouse") leave(); });
    }
    addEventListener("keydown", e => { if (e.key === "Escape") leave(); });

    // By keyboard: arrows go from a photo to the nearest one in their direction.
    const directions = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const centre = mark => { const b = mark.getBBox(); return [b.x + b.width / 2, b.y + b.height / 2]; };
    const nextTo = (map, direction) => {
      const view = map.viewBox.baseVal;
      const from = here && map.contains(here) ? centre(here) : null;
      let best = null;
      let least = Infinity;
      for (const mark of all(map.classList.contains("chosen-some") ? ".mark.on" : ".mark", map)) {
        if (mark === here) continue;
        const at = centre(mark);
        const [x, y] = from ? [at[0] - from[0], at[1] - from[1]] : [at[0] - view.width / 2, at[1] - view.height / 2];
        const [along, across] = [x * direction[0] + y * direction[1], Math.abs(x * direction[1] - y * direction[0])];
        const far = from ? along + 2 * across : Math.hypot(x, y);
        if ((!from || along > 0 && across <= along) && far < least) { best = mark; least = far; }
      }
      return best;
    };
    for (const map of all("svg.map", box)) {
      map.tabIndex = 0;
      map.setAttribute("role", "application");
      map.setAttribute("aria-label", map.getAttribute("aria-label") + "; the arrow keys go from photo to photo");
      map.addEventListener("keydown", e => {
        if (!directions[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
        const next = nextTo(map, directions[e.key]);
        if (next) { next.scrollIntoView({ block: "nearest" }); point(next); }
        e.preventDefault();
      });
      map.addEventListener("blur", leave);
    }

    const buttons = all("[data-class]", box);
    buttons.forEach(button => button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      const chosen = new Set(buttons.filter(b => b.getAttribute("aria-pressed") === "true").map(b => b.dataset.class));
      for (const map of all("svg.map", box)) {
        map.classList.toggle("chosen-some", chosen.size > 0);
        all(".mark", map).forEach(m => m.classList.toggle("on", chosen.has(m.dataset.k)));
      }
    }));
  }

  // Predictions: filter and order.
  for (const controls of all("[data-controls]")) {
    const grid = document.getElementById(controls.dataset.controls);
    const items = [...grid.children];
    const nothing = document.getElementById("nothing");
    const update = () => {
      const filters = all("[data-filter]", controls).map(s => [s.dataset.filter, s.value]);
      let count = 0;
      for (const item of items) {
        item.hidden = !filters.every(([name, value]) => value === "" || item.dataset[name] === value);
        count += item.hidden ? 0 : 1;
      }
      const order = controls.querySelector("[data-order]").value;
      const sign = order.startsWith("-") ? -1 : 1;
      const key = order.replace("-", "");
      grid.append(...items.toSorted((a, b) => sign * (Number(a.dataset[key]) - Number(b.dataset[key])) || Number(a.dataset.i) - Number(b.dataset.i)));
      controls.querySelector("output").textContent = `${count} of ${items.length} shown`;
      nothing.hidden = count > 0;
    };
    controls.hidden = false;
    all("select", controls).forEach(s => s.addEventListener("change", update));
    update();
  }
})();
