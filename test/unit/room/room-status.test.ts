import { describe, expect, it } from 'vitest'
import { GhostChatError } from '../../../src/errors.ts'
import { RoomStatusMachine } from '../../../src/room/room-status.ts'

function open(): { machine: RoomStatusMachine; told: string[] } {
  const told: string[] = []
  const machine = new RoomStatusMachine(({ current, previous, error }) =>
    told.push([previous ?? '-', current, ...(error ? [error.code] : [])].join(' → ')),
  )
  return { machine, told }
}

describe('the status of a room', () => {
  it('goes from connecting to connected, back and forth, and ends closed', () => {
    const { machine, told } = open()
    expect(machine.status).toEqual({ current: 'connecting', previous: undefined })
    expect(machine.neighbours(0)).toBe(false)
    expect(machine.neighbours(2)).toBe(true)
    expect(machine.neighbours(1)).toBe(false)
    expect(machine.neighbours(0)).toBe(false)
    expect(machine.neighbours(1)).toBe(true)
    machine.close()
    machine.close()
    expect(machine.neighbours(1)).toBe(false)
    expect(machine.status.current).toBe('closed')
    expect(told).toEqual([
      'connecting → connected',
      'connected → reconnecting',
      'reconnecting → connected',
      'connected → closed',
    ])
  })

  it('notes an error while there is no connection, and only then', () => {
    const { machine, told } = open()
    const error = new GhostChatError('node-unreachable', 'no')
    machine.failed(error)
    expect(machine.status).toEqual({ current: 'connecting', previous: undefined, error })
    machine.neighbours(1)
    expect(machine.status.error).toBeUndefined()
    machine.failed(error)
    machine.close()
    machine.failed(error)
    expect(told).toEqual([
      '- → connecting → node-unreachable',
      'connecting → connected',
      'connected → closed',
    ])
  })

  it('tells beside an error when the next attempt to connect is made, until there is a connection', () => {
    const { machine, told } = open()
    const error = new GhostChatError('node-unreachable', 'no')
    machine.failed(error, 5_000)
    expect(machine.status).toEqual({
      current: 'connecting',
      previous: undefined,
      error,
      nextAttemptAt: 5_000,
    })
    machine.failed(error, 7_000)
    expect(machine.status.nextAttemptAt).toBe(7_000)
    machine.failed(error)
    expect(machine.status).toEqual({ current: 'connecting', previous: undefined, error })
    machine.failed(error, 9_000)
    machine.neighbours(1)
    expect(machine.status).toEqual({ current: 'connected', previous: 'connecting' })
    machine.failed(error, 11_000)
    expect(machine.status).toEqual({ current: 'connected', previous: 'connecting' })
    machine.neighbours(0)
    machine.failed(error, 13_000)
    expect(machine.status).toEqual({
      current: 'reconnecting',
      previous: 'connected',
      error,
      nextAttemptAt: 13_000,
    })
    machine.close()
    machine.failed(error, 15_000)
    expect(machine.status).toEqual({ current: 'closed', previous: 'reconnecting' })
    expect(told).toHaveLength(8)
  })
})
