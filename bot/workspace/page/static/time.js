// Writes moments in the reader's own language, format and time zone, and a line between days.

const language = document.documentElement.lang;
const locale = navigator.language.startsWith(language) ? navigator.language : language;
const app = document.getElementById("app");

const FORMATS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date_slash: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { year: "numeric", month: "long", day: "numeric", weekday: "long" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

function part(name, moment) {
  if (name === "ago") return ago(moment);
  if (name === "date_num") {
    const pad = (number) => String(number).padStart(2, "0");
    return `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  }
  const pretty = name.endsWith("_pretty");
  const format = FORMATS[name.replace(/_(pretty|full)$/, "").replace(/_pretty$/, "")];
  if (!format) return null;
  return (pretty && near(moment)) || new Intl.DateTimeFormat(locale, format).format(moment);
}

function near(moment) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(new Date()) - midnight(moment)) / 86400000);
  return { 0: app.dataset.today, 1: app.dataset.yesterday }[days];
}

function ago(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return app.dataset.now;
}

export function write() {
  for (const time of document.querySelectorAll("time[data-unix]")) {
    const moment = new Date(Number(time.dataset.unix) * 1000);
    if (Number.isNaN(moment.getTime()) || (time.dateTime && !time.dataset.pattern.includes("{ago}"))) continue;
    let known = true;
    const text = time.dataset.pattern.replace(/\{(\w+)\}/g, (all, name) => part(name, moment) ?? ((known = false), all));
    if (known) fill(time, text);
    time.dateTime = moment.toISOString();
    time.title = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "medium" }).format(moment);
  }
  for (const list of document.querySelectorAll(".messages")) days(list);
}

// No line is broken at the hyphens of a date.
function fill(time, text) {
  if (time.textContent === text && time.dateTime) return;
  const pieces = text.split("-");
  time.replaceChildren(pieces[0]);
  for (const piece of pieces.slice(1)) {
    const joint = document.createElement("span");
    joint.className = "joint";
    joint.textContent = "-";
    time.append(joint, piece);
  }
}

function days(list) {
  let last = "";
  for (const message of list.querySelectorAll(":scope > .message")) {
    const moment = new Date(Number(message.dataset.ts) * 1000);
    const day = near(moment) ?? new Intl.DateTimeFormat(locale, FORMATS.date_long).format(moment);
    const above = message.previousElementSibling;
    const line = above?.matches(".day") ? above : null;
    if (day === last) line?.remove();
    else if (line) {
      if (line.textContent !== day) line.textContent = day;
    } else {
      const made = document.createElement("p");
      made.className = "day";
      made.textContent = day;
      message.before(made);
    }
    last = day;
  }
  for (const line of list.querySelectorAll(":scope > .day")) {
    if (!line.nextElementSibling?.matches(".message")) line.remove();
  }
}

// A date-and-time picker shows local time and sends Unix seconds.
export function fillMoments() {
  for (const field of document.querySelectorAll("[data-moment]:not([data-moment=''])")) {
    const moment = new Date(Number(field.dataset.moment) * 1000);
    field.value = new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
    field.dataset.moment = "";
  }
}

document.addEventListener("drawn", () => (fillMoments(), write()));
setInterval(write, 60000);
