# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.


class ShareMoveEntry:
    """How the rows of the ledger are made

    Nobody else fills what the next move of the same shares relies on: the
    vintage, the day they were acquired and their part of the amount.
    """
    __slots__ = ()

    @classmethod
    def acquire(cls, share_class, quantity, member, start_date, **values):
        "Return the unsaved row that gives new shares to the member"
        values.setdefault('acquired_date', start_date)
        values.setdefault('amount', share_class.currency.round(
                quantity * share_class.par_value))
        return cls(
            company=share_class.company,
            share_class=share_class,
            quantity=quantity,
            to_member=member,
            start_date=start_date,
            par_value=share_class.par_value,
            **values)

    @classmethod
    def give(cls, share_class, lots, member, end_date, **values):
        "Return the unsaved rows with which the lots leave the member"
        return [cls(
                company=share_class.company,
                share_class=share_class,
                quantity=lot.quantity,
                from_member=member,
                end_date=end_date,
                par_value=share_class.par_value,
                amount=lot.amount,
                vintage=lot.vintage,
                acquired_date=lot.acquired_date,
                **values)
            for lot in lots]
