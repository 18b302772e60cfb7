-- PostgreSQL's planner is told what comparing attributes costs; SQLite's needs no word.
SELECT 1;
