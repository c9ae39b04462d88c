-- For the statements that find stored rows of a chunk's events: the planner does not count on looking into one
-- partition per event only, and would rather read the whole table.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
-- What is switched off is only made expensive, and expensive plans would be compiled for a tenth of a second.
SET LOCAL jit = off
