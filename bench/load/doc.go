// Package load judges open loops: how much of a load was attained, how much of that was
// good, and whether the load holds. The bench uses it during the measurement, to choose the
// next load of a search, and reports use it on the recording, so the two cannot disagree.
//
// # A point
//
// The figures are of the requests that were due in the window. The window leaves out the
// first tenth of the arrivals, in which the queue fills. A request that got no scores,
// because of an error or because it was given up, is a miss: it counts as slower than any
// bound, and it has no latency.
//
//   - Offered is the rate of what was due in the window, attained the rate of what ended in
//     it, and good (goodput) the rate of what was due in it and answered within the bound.
//   - A load is saturated if it attained less than 98 % of what was offered, or if the number
//     of requests under way grew over the window. Both rules allow for chance: the number
//     under way is about Poisson, so the difference of two counts of it has a variance of
//     twice its mean.
//   - A load holds if it is not saturated and the upper confidence bound of its P95 is within
//     the bound that was asked for.
//
// # The bound of P95
//
// A bound by order statistics assumes independent draws, but near the knee the latencies of
// neighbouring requests are not independent, because they wait in the same queue. So the
// window is cut into blocks, and the variance of the blocks' shares of slow requests is
// divided by the variance that independent requests would have. This ratio is called the
// design effect in survey statistics (Kish 1965). It says how many requests tell as much as
// one independent one, and the bound is computed for that many times fewer requests.
package load
