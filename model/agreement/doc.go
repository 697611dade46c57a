// Package agreement says how close scores are to exact ones, and what the difference does to
// rankings: errors as shares of the logits' spread, orders that are swapped within a query,
// and nDCG by judgements of people. It knows numbers only, and no model: tests of devices and
// reports of the bench have the same figures from it.
package agreement
