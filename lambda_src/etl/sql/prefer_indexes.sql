-- For statements that look up the stored rows of a chunk's events. The planner does not know that each event is in
-- one partition, and would read the whole table.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
-- Switching a method off only raises its estimated cost, and JIT would compile such a plan, for a tenth of a second.
SET LOCAL jit = off
