// Keeps the blank form and what it needs, and shows it when we cannot be reached. It keeps no
// page that somebody filled in, no receipt and no token. `settings` stands above.

const name = "reporter-" + settings.version;
const pages = Object.values(settings.forms);
const files = settings.files;

// Asked for without cookies: as anybody would see it.
const anybodys = (url) => new Request(url, { credentials: "omit" });

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(name).then((cache) => cache.addAll([...pages, ...files].map(anybodys))));
});

addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((each) => each !== name && each !== "language").map((each) => caches.delete(each))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (files.includes(pathname + search)) event.respondWith(kept(request));
  const ours = pathname === "/" || pathname === "/offline" || pathname.startsWith("/report/");
  if (request.mode === "navigate" && ours) event.respondWith(page(request));
});

const kept = async (request) => (await caches.match(request)) ?? fetch(request);

async function page(request) {
  try {
    const response = await fetch(request);
    if (response.status < 502) {
      await remember(response.headers.get("Content-Language"));
      return response;
    }
  } catch {} // no connection
  const asked = new URL(request.url).searchParams.get("lang");
  const known = [asked, await remembered(), ...navigator.languages].map(form).find(Boolean);
  return caches.match(known ?? pages[0]);
}

// In that language, else in one of its family.
function form(wanted) {
  const tag = wanted?.replace("_", "-");
  const family = (each) => each?.split("-")[0];
  return settings.forms[tag] ?? settings.forms[Object.keys(settings.forms).find((each) => family(each) === family(tag))];
}

// The language of the last page, for the first one without a connection.
const remember = async (language) => {
  if (language) await (await caches.open("language")).put("/language", new Response(language));
};
const remembered = async () => (await caches.match("/language"))?.text();
