package forecast

import "time"

const (
	// reach is how far a window may predict, in multiples of its length.
	reach = 10
	// minPoints is the least that a line is drawn through: with six that rise
	// one by one, Sen's interval is above zero.
	minPoints = 6
)

// windows, longest first. At one sample each 5 s, 30 s is the shortest that has
// enough of them; at one a second, 15 s.
var windows = [...]time.Duration{
	time.Hour, 20 * time.Minute, 8 * time.Minute, 3 * time.Minute, 60 * time.Second, 30 * time.Second, 15 * time.Second,
}

// Prediction is when a series reaches its limit if it goes on as it does.
type Prediction struct {
	Left     time.Duration // from the newest point
	Earliest time.Duration // error band, 95 % under independent noise
	Latest   time.Duration // at most ten windows
	Slope    float64       // growth now, units a second
	Window   time.Duration // that the prediction rests on
}

// Predict says when the series reaches limit. ok is false when it does not grow
// towards it, grows too slowly to say (beyond ten times what was seen), levels
// off below it, or has fewer than six points. Points are in order of time;
// values that are not finite are skipped. A series at or above its limit is
// there: Left is 0.
func Predict(points []Point, limit float64) (p Prediction, ok bool) {
	if len(points) == 0 || !isFinite(limit) {
		return Prediction{}, false
	}
	now := points[len(points)-1].At
	var last func() (Prediction, bool) // of the shortest window so far
	for _, w := range windows {
		raw := relative(points, now, w)
		// A window that is half empty is the next one in disguise.
		if len(raw) < minPoints || -raw[0].x < w.Seconds()/2 {
			continue
		}
		s := thin(raw)
		if len(s) < minPoints {
			continue
		}
		l := fit(s)
		l.peaks(since(raw, raw[0].x/2))
		last = func() (Prediction, bool) { return l.reaches(raw, limit, w) }
		if l.left(raw) {
			continue
		}
		if b, ok := bendOf(s); ok && b.holds(s, l) {
			return b.reaches(l, raw, limit, w)
		}
		if !l.turned(raw) {
			return last()
		}
	}
	if last == nil {
		return Prediction{}, false
	}
	return last()
}

// gaps are the distances that the newest level keeps from the limit: of the
// line with its peaks, which reach the limit before it does; of its highest
// peak; and of the line alone.
func (l line) gaps(raw []xy, limit float64) (likely, least, most float64) {
	newest := limit - raw[len(raw)-1].y
	most = max(limit-l.at0, 0)
	least = min(max(most-l.worst, 0), newest)
	likely = max(most-l.upper, least)
	return likely, least, max(most, likely)
}

// reaches turns a line that is believed into a prediction.
func (l line) reaches(raw []xy, limit float64, w time.Duration) (Prediction, bool) {
	if raw[len(raw)-1].y >= limit {
		return Prediction{Slope: l.slope, Window: w}, true
	}
	if l.low <= 0 {
		return Prediction{}, false
	}
	gap, least, most := l.gaps(raw, limit)
	return prediction(gap/l.slope, least/l.high, most/l.low, l.slope, w)
}

// prediction rejects what lies beyond the reach of its window.
func prediction(left, early, late, slope float64, w time.Duration) (Prediction, bool) {
	horizon := reach * w.Seconds()
	if !(left <= horizon) { // also NaN
		return Prediction{}, false
	}
	return Prediction{
		Left: seconds(left), Earliest: seconds(min(early, left)), Latest: seconds(min(max(late, left), horizon)),
		Slope: slope, Window: w,
	}, true
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
