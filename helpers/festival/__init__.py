"""The second night: a festival whose tables and statements the learner designs, and the crowd that tries them.

A journey through it: ``scripts`` (what a learner wrote, cut into statements whose markers can be bound) → ``design``
(the statements by name) → ``house`` (stages, blocks, seats, people) → ``tables`` (made or emptied before each run) →
``shop`` (one run of a script, statement by statement, so that it can stand still or die between two) → ``books`` (what
the buyers were told, and what is wrong with the database's answer) → ``crowd`` (buyers, sweepers and clerks who take
turns) → ``scenes`` (small stories, each about one promise) and ``night`` (all of them, and a full house) → ``verdict``.
"""
