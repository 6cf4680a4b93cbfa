/**
 * Plots as SVG texts, made without a browser.
 *
 * @typedef {{ kind: 'bars', name: string, title: string, unit: string, isLogarithmic?: boolean,
 *   bars: { label: string, value: number }[] }} Bars
 * @typedef {{ kind: 'lines', name: string, title: string, unit: string, xTitle: string, isLogarithmic?: boolean,
 *   lines: { label: string, points: [number, number][] }[] }} Lines
 * @typedef {Bars | Lines} Plot
 */
import { BarChart, LineChart } from 'echarts/charts'
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

const WIDTH = 760
const OWN = '#6d28d9'
const OTHERS = '#94a3b8'
const LINES = [OWN, '#0f766e', '#b45309', '#64748b', '#be123c']
const BAR_PX = 26

/** @param {Plot} plot */
export function svgOf(plot) {
  const height = plot.kind === 'bars' ? 90 + BAR_PX * plot.bars.length : 340
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height })
  // White below it: the page that shows it may be dark.
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: plot.title, left: 8, top: 6, textStyle: { fontSize: 15 } },
    ...(plot.kind === 'bars' ? barsOf(plot) : linesOf(plot)),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

/** @param {Bars} plot */
function barsOf({ bars, unit, isLogarithmic }) {
  const rows = [...bars].reverse()
  return {
    grid: { left: 12, right: 70, top: 42, bottom: 34, containLabel: true },
    xAxis: { type: isLogarithmic ? 'log' : 'value', name: unit, nameLocation: 'middle', nameGap: 24 },
    yAxis: { type: 'category', data: rows.map(({ label }) => label), axisTick: { show: false } },
    series: [
      {
        type: 'bar',
        barWidth: 15,
        label: { show: true, position: 'right' },
        data: rows.map(({ label, value }) => ({
          value,
          itemStyle: { color: label.startsWith('GhostChat') ? OWN : OTHERS },
        })),
      },
    ],
  }
}

/** @param {Lines} plot */
function linesOf({ lines, unit, xTitle, isLogarithmic }) {
  return {
    legend: { top: 30, right: 12 },
    grid: { left: 24, right: 24, top: 64, bottom: 40, containLabel: true },
    xAxis: { type: isLogarithmic ? 'log' : 'value', name: xTitle, nameLocation: 'middle', nameGap: 26 },
    yAxis: { type: 'value', name: unit, min: 0 },
    series: lines.map(({ label, points }, index) => ({
      type: 'line',
      name: label,
      data: points,
      symbolSize: 7,
      color: LINES[index % LINES.length],
    })),
  }
}
