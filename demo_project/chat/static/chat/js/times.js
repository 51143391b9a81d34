// Times as the reader's own clock and calendar show them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" });
const withYear = new Intl.DateTimeFormat("en", { day: "numeric", month: "long", year: "numeric" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "3:48 AM" or "03:48", as is usual where the reader lives. */
export const clockTime = (date) => clock.format(date);
export const fullTime = (date) => full.format(date);

/** "just now", "5 minutes ago". */
export function ago(date, now = new Date()) {
  const minutes = Math.floor((now - date) / 60_000);
  return minutes < 1 ? "just now" : relative.format(-minutes, "minute");
}

export const sameDay = (one, other) => one.toDateString() === other.toDateString();

/** "Today", "Yesterday", "Tuesday, 4 March" or, after half a year, "4 March 2025". */
export function dayName(date, now = new Date()) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  const days = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (days >= -1 && days <= 0) {
    const name = relative.format(days, "day");
    return name[0].toUpperCase() + name.slice(1);
  }
  return (days > -180 ? weekday : withYear).format(date);
}
