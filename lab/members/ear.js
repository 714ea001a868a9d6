// Runs in the page under test: records what the page plays, as 48 kHz mono PCM, and notes when ICE connected.
(() => {
  const notes = (window.__lab = { iceConnectedAt: 0, peers: 0 });
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = new Proxy(Native, {
    construct(target, args) {
      const peer = new target(...args);
      notes.peers += 1;
      notes.iceConnectedAt = 0;
      peer.addEventListener("iceconnectionstatechange", () => {
        if (peer.iceConnectionState === "connected" || peer.iceConnectionState === "completed") {
          notes.iceConnectedAt ||= Date.now();
        }
      });
      return peer;
    },
  });
  const remote = () => {
    const sink = [...document.querySelectorAll("audio")].find((element) => element.srcObject);
    if (!sink) throw new Error("the page plays nothing");
    return sink.srcObject;
  };
  const toBase64 = (buffer) => {
    const bytes = new Uint8Array(buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return btoa(text);
  };
  // For browsers whose AudioContext needs a sound card (Firefox): a WebM file in base64, and the wall time (ms) of its start.
  notes.recordFile = async (seconds) => {
    const recorder = new MediaRecorder(remote(), { mimeType: "audio/webm;codecs=opus", audioBitsPerSecond: 128000 });
    const parts = [];
    let startedAt = 0;
    await new Promise((resolve, reject) => {
      recorder.onstart = () => {
        startedAt = Date.now();
        setTimeout(() => recorder.stop(), seconds * 1000);
      };
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = resolve;
      recorder.onerror = () => reject(new Error("MediaRecorder failed"));
      recorder.start();
    });
    return { file: toBase64(await new Blob(parts).arrayBuffer()), startedAt };
  };
  // Resolves to base64 of little-endian int16 and the wall time (ms) of the first sample.
  notes.record = async (seconds) => {
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const source = context.createMediaStreamSource(remote());
    const tap = context.createScriptProcessor(4096, 1, 1);
    const wanted = Math.round(seconds * 48000);
    const pcm = new Int16Array(wanted);
    let at = 0;
    let startedAt = 0;
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the page's audio clock stands still")), (seconds + 10) * 1000);
      tap.onaudioprocess = (event) => {
        startedAt ||= Date.now() - (4096 / 48000) * 1000;
        const input = event.inputBuffer.getChannelData(0);
        for (let i = 0; i < input.length && at < wanted; i += 1, at += 1) {
          pcm[at] = Math.max(-32768, Math.min(32767, Math.round(input[i] * 32768)));
        }
        if (at >= wanted) {
          clearTimeout(timer);
          resolve();
        }
      };
      source.connect(tap);
      tap.connect(context.destination);
    });
    await context.close();
    return { pcm: toBase64(pcm.buffer), startedAt };
  };
})();
