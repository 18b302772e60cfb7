/** What a client sent: one line each, such as "GET 200", and the addresses. */
export interface Recorder {
  fetch: typeof fetch;
  requests: { method: string; url: URL; accept: string; body: string; status: number }[];
}

/** Makes a fetch that remembers what passed through it and changes nothing. */
export function recorder(): Recorder {
  const requests: Recorder["requests"] = [];
  return {
    requests,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const { method, headers } = request;
      const body = await request.clone().text();
      const response = await fetch(request);
      requests.push({ method, url: new URL(request.url), accept: headers.get("accept") ?? "", body, status: response.status });
      return response;
    },
  };
}
