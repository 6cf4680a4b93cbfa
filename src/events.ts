import { EventEmitter } from 'eventemitter3'
import { isThenable } from './thenable.ts'

type Listener<E extends object, T extends EventEmitter.EventNames<E>> = EventEmitter.EventListener<E, T>
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown

/**
 * An EventEmitter3 in which a listener that throws, or returns a promise that
 * rejects, harms nobody else: the other listeners run, the emitter's owner goes
 * on, and what was thrown reaches the owner's `onFailure`.
 */
export class IsolatedEmitter<Events extends object> extends EventEmitter<Events> {
  readonly #onFailure: (event: EventEmitter.EventNames<Events>, thrown: unknown) => void
  /** By listener and event: the function that is really registered. */
  readonly #guards = new WeakMap<AnyFunction, Map<EventEmitter.EventNames<Events>, AnyFunction>>()
  readonly #originals = new WeakMap<AnyFunction, AnyFunction>()

  constructor(onFailure: (event: EventEmitter.EventNames<Events>, thrown: unknown) => void) {
    super()
    this.#onFailure = onFailure
  }

  override on<T extends EventEmitter.EventNames<Events>>(
    event: T,
    fn: Listener<Events, T>,
    context?: unknown,
  ): this {
    return super.on(event, this.#guarded(event, fn), context)
  }

  override addListener<T extends EventEmitter.EventNames<Events>>(
    event: T,
    fn: Listener<Events, T>,
    context?: unknown,
  ): this {
    return super.on(event, this.#guarded(event, fn), context)
  }

  override once<T extends EventEmitter.EventNames<Events>>(
    event: T,
    fn: Listener<Events, T>,
    context?: unknown,
  ): this {
    return super.once(event, this.#guarded(event, fn), context)
  }

  override off<T extends EventEmitter.EventNames<Events>>(
    event: T,
    fn?: Listener<Events, T>,
    context?: unknown,
    once?: boolean,
  ): this {
    return super.off(event, fn && this.#guarded(event, fn), context, once)
  }

  override removeListener<T extends EventEmitter.EventNames<Events>>(
    event: T,
    fn?: Listener<Events, T>,
    context?: unknown,
    once?: boolean,
  ): this {
    return super.removeListener(event, fn && this.#guarded(event, fn), context, once)
  }

  override listeners<T extends EventEmitter.EventNames<Events>>(event: T): Listener<Events, T>[] {
    return super
      .listeners(event)
      .map((fn) => this.#originals.get(fn as AnyFunction) as Listener<Events, T> | undefined)
      .filter((fn) => fn !== undefined)
  }

  /** The one wrapper of `fn`, so that `off(fn)` finds what `on(fn)` added. */
  #guarded<F>(event: EventEmitter.EventNames<Events>, fn: F): F {
    const original = fn as AnyFunction
    // EventEmitter3 removes a listener that was added with `once` by what is registered.
    if (this.#originals.has(original)) return fn
    const guards = this.#guards.get(original) ?? new Map<EventEmitter.EventNames<Events>, AnyFunction>()
    const known = guards.get(event)
    if (known !== undefined) return known as F
    const onFailure = (thrown: unknown): void => this.#onFailure(event, thrown)
    const guard: AnyFunction = function (...args) {
      try {
        const result = original.apply(this, args)
        if (isThenable(result)) Promise.resolve(result).catch(onFailure)
      } catch (thrown) {
        onFailure(thrown)
      }
    }
    guards.set(event, guard)
    this.#guards.set(original, guards)
    this.#originals.set(guard, original)
    return guard as F
  }
}
