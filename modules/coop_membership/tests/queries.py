# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import Counter
from contextlib import contextmanager
from unittest.mock import patch

from sql import From, Join, Query, Select, Table


@contextmanager
def count_queries():
    "Count the queries by kind and table"
    queries = Counter()
    iter_ = Query.__iter__

    def counted(query):
        # Any attribute of a select is a column
        table = query.from_ if isinstance(query, Select) else query.table
        while not isinstance(table, Table):
            if isinstance(table, From):
                table, *_ = table
            elif isinstance(table, Join):
                table = table.left
            elif isinstance(table, Select):
                table = table.from_
            else:
                break
        name = table._name if isinstance(table, Table) else None
        queries[query.__class__.__name__, name] += 1
        return iter_(query)

    # Tryton counts the records of a table again at random
    with patch.object(Query, '__iter__', counted), \
            patch('random.random', return_value=1):
        yield queries
