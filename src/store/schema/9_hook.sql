-- What goes with a due time: its hooks, and the report to the operator.

ALTER TABLE due_time ADD COLUMN after_hook TEXT NOT NULL DEFAULT ''; -- 'owed', 'done', or why it failed; '' for none
ALTER TABLE due_time ADD COLUMN told TEXT NOT NULL DEFAULT '';       -- the state of which the operator was told last
ALTER TABLE due_time ADD COLUMN notice TEXT NOT NULL DEFAULT '';     -- what is wrong with the report to the operator
UPDATE due_time SET told = state;                                    -- nobody is told of what is long past
CREATE INDEX due_time_owed ON due_time (schedule, due) WHERE after_hook = 'owed';
CREATE INDEX due_time_untold ON due_time (schedule, due) WHERE told <> state;
