// The page draws what /events says. Everything is put in as text, never as markup: names of accounts and hosts are
// whatever clients chose to call themselves.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const $ = (id) => document.getElementById(id);
let state = null;
let chosen = "";
let heard = 0;
let drawn = "";

function make(tag, text, attributes = {}, ...children) {
  const one = document.createElement(tag);
  if (text !== null && text !== undefined) one.textContent = text;
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  one.append(...children);
  return one;
}

function draw(tag, attributes, text) {
  const one = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  if (text !== undefined) one.textContent = text;
  return one;
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return `${seconds < 10 ? Number(seconds).toFixed(1).replace(/\.0$/, "") : Math.round(seconds)} s`;
  if (seconds < 3600) return parts(Math.round(seconds), 60, "min", "s");
  if (seconds < 172800) return parts(Math.round(seconds / 60), 60, "h", "min");
  return `${Math.round(seconds / 86400)} d`;
}

function parts(small, factor, large, unit) {
  const rest = small % factor;
  return `${Math.floor(small / factor)} ${large}${rest ? ` ${rest} ${unit}` : ""}`;
}

// In the pixels that it gets, so that its letters are as large as all others.
const widthOf = (place) => Math.max(260, place.clientWidth - 30);
const number = (value) => (value === null || value === undefined ? "–" : String(value));
const worst = (server) => server.findings.reduce((found, one) => Math.max(found, { info: 0, warning: 1, error: 2 }[one.severity]), -1);
const oldest = (server) => (server.transactions && server.transactions.length ? server.transactions[0].seconds : 0);

// -- the fleet, one row per server -----------------------------------------------------------------------------------

function rowOf(server) {
  const body = $("fleet").tBodies[0];
  let row = [...body.rows].find((one) => one.dataset.address === server.address);
  if (!row) {
    row = make("tr", null, { "data-address": server.address });
    const button = make("button", server.address, { type: "button" });
    row.append(make("td", null, {}, button));
    for (const name of ["state", "connections", "idle", "oldest transaction", "cut a minute", "findings", "version"]) {
      row.append(make("td", null, { "data-name": name }));
    }
    row.addEventListener("click", () => choose(server.address, false));
    body.append(row);
  }
  return row;
}

function fill(cell, ...children) {
  cell.replaceChildren(...children);
}

function drawRow(server) {
  const row = rowOf(server);
  row.setAttribute("aria-selected", String(server.address === chosen));
  row.cells[0].firstChild.setAttribute("aria-pressed", String(server.address === chosen));
  const words = server.state === "down" ? `down for ${duration(server.since)}` : server.state;
  fill(row.cells[1], make("span", words, { class: `state ${server.state}`, title: server.trouble }));
  const known = server.version !== undefined && server.state === "up";
  if (known && server.limit) {
    const share = server.connections / server.limit;
    fill(row.cells[2], meter(server.connections, server.limit, 0.8, 0.95, "connections of max_connections"),
      make("span", ` ${server.connections} of ${server.limit}`, { class: share > 0.95 ? "bad" : share > 0.8 ? "warn" : "" }));
  } else fill(row.cells[2], make("span", "–"));
  const longest = known && server.idle.length ? server.idle[0] : 0;
  if (known && server.wait_timeout && server.gaps.sessions === undefined) {
    fill(row.cells[3], meter(longest, server.wait_timeout, 0.7, 0.9, "longest idle of wait_timeout"),
      make("span", ` ${duration(longest)} of ${duration(server.wait_timeout)}`));
  } else fill(row.cells[3], make("span", known ? server.gaps.sessions || "–" : "–", { class: "quiet" }));
  const old = known ? oldest(server) : null;
  fill(row.cells[4], make("span", known && server.transactions === null ? server.gaps.transactions || "–" : old ? duration(old) : known ? "none over 1 s" : "–",
    { class: old > 60 ? "bad" : old > 5 ? "warn" : "quiet" }));
  fill(row.cells[5], make("span", known ? number(server.rates.aborted_clients) : "–", { class: known && server.rates.aborted_clients > 3 ? "bad" : "" }));
  const bad = worst(server);
  fill(row.cells[6], make("span", server.findings.length ? String(server.findings.length) : known ? "none" : "–", { class: ["quiet", "", "warn", "bad"][bad + 1] }));
  fill(row.cells[7], make("span", server.version ? `${server.version}, ${duration(server.uptime)}` : server.trouble, { class: "quiet" }));
}

function meter(value, most, high, critical, label) {
  const share = value / most;
  return make("meter", null, { min: 0, max: most, value: Math.min(value, most), low: most * high, high: most * critical, optimum: 0,
    "aria-label": `${label}: ${Math.round(share * 100)} %` });
}

function drawVerdict() {
  const down = state.servers.filter((one) => one.state === "down").length;
  const waiting = state.servers.filter((one) => one.state === "connecting").length;
  const errors = state.servers.reduce((sum, one) => sum + one.findings.filter((found) => found.severity === "error").length, 0);
  const all = state.servers.length === 1 ? "The server answers" : `All ${state.servers.length} servers answer`;
  const text = down ? `${down} of ${state.servers.length} down` : waiting ? `connecting to ${waiting}` : errors ? `${all}; ${errors} to mend` : `${all}.`;
  if ($("verdict").textContent !== text) $("verdict").textContent = text;
  $("verdict").className = down ? "bad" : errors ? "warn" : "up";
  $("title").textContent = state.title;
  document.title = `${down ? "✖ " : ""}${text} · ${state.title}`;
}

// -- one server ------------------------------------------------------------------------------------------------------

function card(title, wide, ...children) {
  return make("section", null, { class: wide ? "card wide" : "card" }, make("h3", title), ...children);
}

function bars(pairs) {
  const most = Math.max(1, ...pairs.map(([, count]) => count));
  const list = make("div", null, { class: "bars" });
  for (const [name, count] of pairs) {
    const bar = make("div", null, { class: "bar" });
    bar.style.width = `${(100 * count) / most}%`;
    list.append(make("span", name || "(nobody yet)", { class: "name" }), bar, make("span", String(count)));
  }
  return pairs.length ? list : make("p", "none", { class: "quiet" });
}

function idlePicture(server) {
  const most = Math.max(server.wait_timeout || 0, server.idle[0] || 0, 1);
  const width = widthOf($("one"));
  const x = (seconds) => 8 + ((width - 16) * Math.log1p(seconds)) / Math.log1p(most);
  const picture = draw("svg", { viewBox: `0 0 ${width} 84`, role: "img", "aria-label":
    `${server.idle_count} idle connections, the longest for ${duration(server.idle[0] || 0)}; wait_timeout is ${duration(server.wait_timeout)}` });
  picture.append(draw("line", { x1: 8, x2: width - 8, y1: 58, y2: 58, class: "axis" }));
  let last = -99;
  for (const tick of [0, 1, 10, 60, 600, 3600, 28800, 86400].filter((one) => one <= most)) {
    if (x(tick) - last < 52) continue;
    last = x(tick);
    picture.append(draw("text", { x: x(tick), y: 74, "text-anchor": tick ? "middle" : "start" }, tick ? duration(tick) : "0"));
  }
  const heights = new Map();
  for (const seconds of server.idle) {
    const place = Math.round(x(seconds) / 8);
    const height = heights.get(place) || 0;
    heights.set(place, height + 1);
    if (height < 8) picture.append(draw("circle", { cx: place * 8, cy: 52 - height * 6, r: 3, class: "dot" }));
  }
  if (server.wait_timeout) {
    const at = x(server.wait_timeout);
    picture.append(draw("line", { x1: at, x2: at, y1: 4, y2: 58, class: "limit" }));
    picture.append(draw("text", { x: at - 4, y: 12, "text-anchor": "end" }, `wait_timeout ${duration(server.wait_timeout)}`));
  }
  return picture;
}

function transactionTable(server) {
  if (server.transactions === null) return make("p", `not shown: ${server.gaps.transactions}`, { class: "quiet" });
  if (!server.transactions.length) return make("p", "none longer than a second", { class: "quiet" });
  const head = make("tr", null, {}, ...["open for", "who", "state", "wrote, locks", "statement", ...(state.kill ? [""] : [])].map((name) => make("th", name, { scope: "col" })));
  const table = make("table", null, {}, make("thead", null, {}, head));
  const body = make("tbody");
  for (const one of server.transactions) {
    const row = make("tr", null, {},
      make("td", duration(one.seconds), { class: one.seconds > 60 ? "bad" : one.seconds > 5 ? "warn" : "" }),
      make("td", one.user ? `${one.user} from ${one.host}${one.port ? `:${one.port}` : ""}` : `connection ${one.id}`),
      make("td", one.idle ? "the client does nothing" : one.state.toLowerCase()),
      make("td", `${one.rows}, ${one.locks}`),
      make("td", null, {}, make("code", one.statement || "–")));
    if (state.kill) {
      const button = make("button", "kill", { type: "button", class: "kill", "aria-label": `kill connection ${one.id} of ${one.user}` });
      button.addEventListener("click", () => kill(server.address, one));
      row.append(make("td", null, {}, button));
    }
    body.append(row);
  }
  table.append(body);
  return make("div", null, { class: "scroll" }, table);
}

async function kill(address, one) {
  if (!window.confirm(`KILL connection ${one.id} of ${one.user || "?"}, open for ${duration(one.seconds)}? Its transaction is rolled back.`)) return;
  const answer = await fetch("kill", { method: "POST", body: JSON.stringify({ address, id: one.id, secret: state.kill }) });
  $("link").textContent = answer.ok ? `connection ${one.id} was killed` : `not killed: ${(await answer.text()).trim()}`;
}

function findingList(server) {
  const unseen = server.not_checked.length;
  const rest = unseen ? make("p", `${unseen} checks could not be made; stillhere doctor says why`, { class: "quiet" }) : "";
  if (!server.findings.length) return make("div", null, {}, make("p", "nothing to fix", { class: "quiet" }), rest);
  const list = make("ul", null, { class: "plain" });
  for (const one of server.findings) {
    const item = make("li", null, { class: "finding" },
      make("span", one.severity, { class: one.severity === "error" ? "bad" : one.severity === "warning" ? "warn" : "quiet" }),
      ` ${one.message} `, make("span", one.remedy, { class: "quiet" }));
    for (const command of one.commands) item.append(make("div", null, {}, make("code", command)));
    list.append(item);
  }
  return make("div", null, {}, list, rest);
}

function drawOne() {
  const server = state.servers.find((one) => one.address === chosen);
  if (!server) return;
  $("one-h").textContent = server.address;
  const same = JSON.stringify([server, state.kill]);
  if (same === drawn || $("one").contains(document.activeElement)) return;  // whoever is in it keeps his place
  drawn = same;
  if (server.version === undefined) {
    fill($("one"), card("State", true, make("p", server.trouble || "connecting…", { class: server.trouble ? "bad" : "quiet" })));
    return;
  }
  const facts = make("dl");
  const say = (name, value) => facts.append(make("dt", name), make("dd", value));
  if (server.state === "down") say("down", `${server.trouble}; what is below is ${duration(server.age)} old`);
  say("running now", number(server.running));
  say("most at one time", number(server.most));
  say("cut since its start", number(server.totals.aborted_clients));
  say("attempts that failed", number(server.totals.aborted_connects));
  if (server.totals.com_kill !== null) say("KILLs", number(server.totals.com_kill));
  say("writes", server.read_only ? "refused (read-only)" : "taken");
  for (const [name, reason] of Object.entries(server.gaps)) say(`${name} not shown`, reason);
  fill($("one"),
    card("Findings", false, findingList(server)),
    card("Facts", false, facts),
    card(`Idle connections: ${server.idle_count}`, true, idlePicture(server)),
    card("Transactions open for longer than a second", true, transactionTable(server)),
    card("Connections by state", false, bars(server.states)),
    card("by account", false, bars(server.users)),
    card("by client host", false, bars(server.hosts)));
}

// -- losses ----------------------------------------------------------------------------------------------------------

function drawLosses() {
  $("losses").hidden = state.incidents === null;
  if (state.incidents === null) return;
  const now = Date.now();
  const oldest = state.incidents.length ? Date.parse(state.incidents[state.incidents.length - 1].at) : now;
  const span = Math.min(3600e3, Math.max(120e3, (now - oldest) * 1.05));  // at most an hour, and never mostly empty
  const recent = state.incidents.filter((one) => now - Date.parse(one.at) < span);
  const causes = [...new Set(recent.map((one) => one.cause))].sort();
  const height = 24 + 20 * Math.max(1, causes.length);
  const width = widthOf($("timeline"));
  const left = Math.min(170, Math.max(20, ...causes.map((cause) => cause.length * 7)));
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${recent.length} losses in the last ${duration(span / 1000)}` });
  const x = (at) => left + ((width - left - 10) * (span - (now - at))) / span;
  causes.forEach((cause, index) => {
    picture.append(draw("text", { x: 0, y: 18 + 20 * index }, cause.replaceAll("_", " ")));
    picture.append(draw("line", { x1: left, x2: width - 10, y1: 14 + 20 * index, y2: 14 + 20 * index, class: "axis" }));
  });
  if (!causes.length) picture.append(draw("text", { x: 0, y: 18 }, "none in the last hour"));
  for (const one of recent) {
    const mark = draw("circle", { cx: x(Date.parse(one.at)), cy: 14 + 20 * causes.indexOf(one.cause), r: 5, class: one.error ? "loss refused" : "loss" });
    mark.append(draw("title", {}, `${one.at}: ${one.sentence}`));
    picture.append(mark);
  }
  for (const [part, anchor] of [[1, "start"], [0.5, "middle"], [0, "end"]]) {
    const words = part ? `${duration(Math.round((span * part) / 1000))} ago` : "now";
    picture.append(draw("text", { x: x(now - span * part), y: height - 2, "text-anchor": anchor }, words));
  }
  fill($("timeline"), picture);
  const list = $("loss-list");
  const known = list.dataset.newest;
  const newest = state.incidents.length ? state.incidents[0].at + state.incidents.length : "";
  if (known === newest) return;
  list.dataset.newest = newest;
  fill(list, ...state.incidents.slice(0, 50).map((one) => make("li", null, {},
    make("span", new Date(one.at).toLocaleTimeString(), { class: "quiet" }), ` ${one.server}: `,
    make("strong", one.cause.replaceAll("_", " ")), `: ${one.sentence}. `,
    make("span", `${one.done}.`, { class: one.error ? "bad" : "up" }))));
}

// -- choosing, and staying in touch --------------------------------------------------------------------------------------

function choose(address, focus) {
  chosen = address;
  drawn = "";
  if (document.activeElement && $("one").contains(document.activeElement)) document.activeElement.blur();
  drawAll();
  if (focus) rowOf({ address }).querySelector("button").focus();
}

function drawAll() {
  if (!chosen && state.servers.length) chosen = state.servers[0].address;
  state.servers.forEach(drawRow);
  drawVerdict();
  drawLosses();
  drawOne();
}

document.addEventListener("keydown", (event) => {
  if (!state || event.altKey || event.ctrlKey || event.metaKey) return;
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const inTable = document.activeElement === document.body || $("fleet").contains(document.activeElement);
  if (!step || !inTable) return;
  event.preventDefault();
  const at = state.servers.findIndex((one) => one.address === chosen);
  const next = state.servers[Math.max(0, Math.min(state.servers.length - 1, at + step))];
  choose(next.address, true);
});

const events = new EventSource("events");
events.addEventListener("state", (event) => {
  state = JSON.parse(event.data);
  heard = Date.now();
  $("link").textContent = $("link").textContent.startsWith("no news") ? "" : $("link").textContent;
  drawAll();
});
setInterval(() => {
  if (heard && Date.now() - heard > 15e3) $("link").textContent = `no news from stillhere watch for ${duration((Date.now() - heard) / 1000)}`;
}, 1000);
