/** Types of the vendored module: those of the packages that it was made from (development only). */
import type { VNode } from "preact";

export { h, render, Fragment } from "preact";
export type { ComponentChildren, JSX, VNode } from "preact";
export { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "@preact/signals";
export type { ReadonlySignal, Signal } from "@preact/signals";

/** htm bound to `h`: a template that gives one element. */
export function html(strings: TemplateStringsArray, ...values: unknown[]): VNode;
