package names

// The event calendar, as metrics and summaries tell it.
const (
	CalendarActive = "vigie.calendar.event.active" // {event}, 1 while the phase lasts, else 0
	CalendarEvent  = "vigie.calendar.event"        // the event's name in the calendar
	CalendarPhase  = "vigie.calendar.phase"        // pre, first_half, half_time, second_half, extra_time, post
)
