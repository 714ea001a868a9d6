"""JsSIP, a SIP user agent of somebody else for scripts in browsers, as one file that a page can be given."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

MODULES = Path(__file__).resolve().parents[2] / "node_modules"

CALL = """([target, extraHeaders]) => new Promise((resolve, reject) => {
  const socket = new JsSIP.WebSocketInterface(`wss://${location.host}/sip`);
  const ua = new JsSIP.UA({ sockets: [socket], uri: "sip:script@confero.invalid", register: false, display_name: "Script" });
  window.ua = ua;
  setTimeout(() => reject(new Error("not within 20 s")), 20000);
  ua.on("connected", () => {
    const session = ua.call(target, { mediaConstraints: { audio: true, video: false }, extraHeaders });
    window.session = session;
    session.on("confirmed", () => resolve("confirmed"));
    session.on("failed", (event) => reject(new Error(event.cause)));
    session.on("ended", (event) => (window.endedBy = event.originator));
    session.connection.addEventListener("track", (event) => {
      const audio = document.body.appendChild(new Audio());
      audio.srcObject = event.streams[0];
      void audio.play();
    });
  });
  ua.start();
})"""
"""Calls with further header fields; resolves when it is answered and acknowledged, fails with JsSIP's word for why not."""

REGISTER = """([user, host, password]) => new Promise((resolve, reject) => {
  const socket = new JsSIP.WebSocketInterface(`wss://${location.host}/sip`);
  const ua = new JsSIP.UA({ sockets: [socket], uri: `sip:${user}@${host}`, authorization_user: user, password, register: true });
  setTimeout(() => reject(new Error("not within 20 s")), 20000);
  window.registered = 0;
  ua.on("registered", () => resolve(`registered ${++window.registered}`));
  ua.on("registrationFailed", (event) => reject(new Error(event.cause)));
  ua.on("newRTCSession", ({ session }) => {
    session.on("peerconnection", ({ peerconnection }) => peerconnection.addEventListener("track", (event) => {
      const audio = document.body.appendChild(new Audio());
      audio.srcObject = event.streams[0];
      void audio.play();
    }));
    session.on("ended", (event) => (window.endedBy = event.originator));
    session.answer({ mediaConstraints: { audio: true, video: false } });
  });
  ua.start();
})"""
"""Registers; answers each call. ``window.registered`` counts how often."""


@cache
def bundle() -> str:
    """Sets ``JsSIP`` in the page that evaluates it."""
    assert (MODULES / "jssip").is_dir(), "jssip is not installed: run `npm ci`"
    command = [
        MODULES / ".bin" / "esbuild",
        MODULES / "jssip" / "lib" / "JsSIP.js",
        "--bundle",
        "--minify",
        "--format=iife",
    ]
    found = subprocess.run([*command, "--global-name=JsSIP"], capture_output=True, check=True, text=True, timeout=60)
    return f"{found.stdout}; globalThis.JsSIP = JsSIP; undefined"
