/** A form: its values, what is wrong with them, one request at a time, and the focus where it is needed. */

import { useRef, useSignal } from "../../../vendor/preact.js";
import { codeOf, RequestError } from "../../problem.js";
import { FIELD_OF_CODE, FIELDS, IN_ITS_WORDS, sentence } from "../../texts/problems.js";

/**
 * @typedef {Record<string, string | number | boolean | string[]>} Values
 * @typedef {Record<string, string>} Faults  field -> sentence; "" is for the form as a whole
 */

/**
 * @template {Values} T
 * @typedef {object} Form
 * @property {T} values
 * @property {Faults} faults
 * @property {boolean} busy
 * @property {(event: Event) => void} onSubmit
 * @property {(name: keyof T & string, value: T[keyof T]) => void} set
 * @property {() => void} reset
 * @property {{ current: HTMLFormElement | null }} ref
 */

/**
 * @template {Values} T
 * @param {T} initial
 * @param {(values: T) => Promise<void>} send  what submitting does; a RequestError is shown where it belongs
 * @param {(values: T) => Faults} [look] what is wrong before it is sent
 * @param {Readonly<Record<string, string>>} [wants] what fields want that mean something else here than in other forms
 * @returns {Form<T>}
 */
export function useForm(initial, send, look = () => ({}), wants = {}) {
  const values = useSignal(initial);
  const faults = useSignal(/** @type {Faults} */ ({}));
  const busy = useSignal(false);
  const ref = useRef(/** @type {HTMLFormElement | null} */ (null));
  const refuse = (/** @type {Faults} */ found) => {
    faults.value = found;
    // Once the marks are drawn: the first field that is wrong, so that it can be mended at once.
    requestAnimationFrame(() => /** @type {HTMLElement | null} */ (ref.current?.querySelector("[aria-invalid=true]"))?.focus());
  };
  const submit = async () => {
    if (busy.value) return;
    const found = look(values.value);
    if (Object.keys(found).length) return refuse(found);
    busy.value = true;
    faults.value = {};
    try {
      await send(values.value);
    } catch (error) {
      refuse(faultsOf(error, Object.keys(initial), wants));
    } finally {
      busy.value = false;
    }
  };
  return {
    values: values.value,
    faults: faults.value,
    busy: busy.value,
    ref,
    onSubmit: (event) => {
      event.preventDefault();
      void submit();
    },
    set: (name, value) => {
      values.value = { ...values.value, [name]: value };
      if (faults.value[name]) faults.value = Object.fromEntries(Object.entries(faults.value).filter(([field]) => field !== name));
    },
    reset: () => {
      values.value = initial;
      faults.value = {};
    },
  };
}

/**
 * @param {unknown} error
 * @param {readonly string[]} fields that the form has
 * @param {Readonly<Record<string, string>>} [wants] before what fields of all forms want
 * @returns {Faults} never empty
 */
export function faultsOf(error, fields, wants = {}) {
  const code = codeOf(error);
  const field = FIELD_OF_CODE[code]?.find((name) => fields.includes(name));
  if (field) return { [field]: IN_ITS_WORDS.includes(code) && error instanceof Error && error.message !== code ? error.message : sentence(code) };
  const named = error instanceof RequestError ? error.errors.map(({ loc }) => String(loc.find((part) => fields.includes(String(part))) ?? "")) : [];
  const found = named.filter(Boolean).map((name) => [name, wants[name] ?? FIELDS[name] ?? sentence("invalid-body")]);
  return found.length ? Object.fromEntries(found) : { "": sentence(code) };
}

/**
 * @param {Values} values
 * @param {Record<string, string>} wanted field -> what to say if it is empty
 * @returns {Faults}
 */
export function missing(values, wanted) {
  return Object.fromEntries(Object.entries(wanted).filter(([name]) => !String(values[name] ?? "").trim()));
}
