"""Electric-vehicle charging with Open Charge Map: stations, routes and coverage as tables."""
