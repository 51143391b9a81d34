// People in the demo chat, without a browser: each says something, and sees what the others say.

export async function people(t) {
  const { cookies, each } = t.params;
  const members = cookies.map((cookie) => {
    const auth = { room: "lobby" };
    const socket = t.open("/chat", { auth, extraHeaders: { cookie } });
    const seen = t.collect(socket, "message");
    return { socket, seen };
  });
  await Promise.all(members.map(({ socket }) => t.connected(socket)));
  const saved = [];
  for (let n = 0; n < each; n++) {
    for (const [place, { socket }] of members.entries()) {
      const uid = crypto.randomUUID();
      saved.push((await t.ask(socket, "say", uid, `${place}: ${n}`))[0].text);
    }
  }
  const wanted = each * (members.length - 1);
  await t.until(() => members.every(({ seen }) => seen.length >= wanted), "what the others said");
  return { saved, seen: members.map(({ seen }) => seen.map(([message]) => message.text)) };
}
