-- Events received in the period that name something beyond the day's limit of new names, by what they name: it counts as
-- "(other)". Of the filters only the dates count.
-- Parameters: the filters' six.
-- Columns: position (1 = event name, 2 = product, 3 = category, 4 = brand, 5 = items of an order), label, events, senders
-- (distinct visitors).
-- Only what was folded.
SELECT
    named.position, named.label, count(*) AS events, count(DISTINCT stored.visitor) AS senders
FROM public.clickstream_events AS stored
CROSS JOIN filters
JOIN (
    VALUES (1, 1, 'Event names'), (2, 2, 'Products'), (3, 4, 'Categories'), (4, 8, 'Brands'), (5, 16, 'Items of orders')
) AS named (position, kind, label) ON stored.folded & named.kind <> 0
WHERE stored.folded IS NOT NULL
  AND stored.received_at >= filters.starts AND stored.received_at < filters.ends
GROUP BY named.position, named.label
ORDER BY named.position
