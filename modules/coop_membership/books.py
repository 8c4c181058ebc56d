# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.pool import Pool
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .document import DocumentMixin, full_name

# The size from which creating records together does not get faster
SLICE = 500


def save_records(records):
    "Save the list of records in slices"
    for sub_records in grouped_slice(records, SLICE):
        sub_records = list(sub_records)
        sub_records[0].__class__.save(sub_records)


class Books:
    "Prepare the accounting moves of a company"

    def __init__(self, company):
        pool = Pool()
        Configuration = pool.get('coop.membership.configuration')
        self.company = company
        self.journal = Configuration(1).get_multivalue(
            'journal', company=company.id)
        self._periods = {}
        self._records = {}
        lang = company.party.lang
        self._language = lang.code if lang else Transaction().language

    def narrate(self, origin):
        "Return what the origin is, in the language of the company"
        if not origin:
            return
        with Transaction().set_context(language=self._language):
            record = self._read(origin)
            if isinstance(origin, DocumentMixin):
                # The step that posts numbers it, and is not saved yet
                number = getattr(origin, 'number', None)
                if number:
                    record.number = number
            return getattr(record, 'narration', None) or full_name(record)

    def _read(self, origin):
        "Return the origin to be read in another language, with its siblings"
        Model = origin.__class__
        if (Model, origin.id) not in self._records:
            self._records.update(
                ((Model, r.id), r) for r in Model.browse(origin._ids))
        return self._records[Model, origin.id]

    def translate(self, text):
        "Return what the function says in the language of the company"
        with Transaction().set_context(language=self._language):
            return text()

    def reversed_(self, description):
        "Return the description of what takes back what is described"
        return self.translate(lambda: gettext(
                'coop_membership.msg_narration_reversal',
                description=description or ''))

    def move(self, date, lines, origin=None, description=None):
        """Return an unsaved move of the lines

        The move and each line say what they are: the description, or what
        the origin is.
        """
        pool = Pool()
        Move = pool.get('account.move')
        Period = pool.get('account.period')
        if date not in self._periods:
            self._periods[date] = Period.find_open(self.company, date)
            # Post locks it, which would start all over at the end
            self._periods[date][0].move_sequence_used.lock()
        period, date = self._periods[date]
        description = description or self.narrate(origin)
        for line in lines:
            if not getattr(line, 'description', None):
                line.description = description
        return Move(
            company=self.company, journal=self.journal, period=period,
            date=date, origin=origin, description=description, lines=lines)

    def line(
            self, account, amount, party=None, maturity_date=None,
            origin=None, **values):
        "Return an unsaved line: a positive amount is a debit"
        pool = Pool()
        Line = pool.get('account.move.line')
        if values.get('move'):
            values.setdefault('description', values['move'].description)
        return Line(
            account=account,
            debit=max(amount, 0),
            credit=max(-amount, 0),
            party=party if account.party_required else None,
            maturity_date=maturity_date,
            # Lines of the same fields are inserted together
            origin=origin,
            **values)

    def reversal(self, move, date, origin=None):
        """Return an unsaved move that takes back the move

        The origin of each of its lines is the line that it takes back.
        """
        origin = origin or move.origin
        description = self.reversed_(
            move.description or self.narrate(origin))
        return self.move(date, [
                self.line(
                    line.account, line.credit - line.debit,
                    party=line.party, maturity_date=line.maturity_date,
                    origin=line)
                for line in move.lines],
            origin=origin, description=description)

    @classmethod
    def post(cls, moves):
        "Save and post the moves"
        pool = Pool()
        Move = pool.get('account.move')
        moves = [m for m in moves if m]
        for sub_moves in grouped_slice(moves, SLICE):
            sub_moves = list(sub_moves)
            Move.save(sub_moves)
            Move.post(sub_moves)
