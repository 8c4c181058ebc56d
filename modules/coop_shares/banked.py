# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.claim import open_lines
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.tools import grouped_slice

from .instalment import complete_sets


class BankedMixin:
    """A document that lines of bank statements pay

    It is chosen as what a line is related to, or found by a rule.
    """
    __slots__ = ()
    # The group of the rules that holds its name
    _bank_keyword = None
    # Whether the money comes or goes
    _bank_sign = 1
    # The paths of its company and of who pays or is paid
    _bank_company = 'company'
    _bank_party = 'member.party'
    # The path of what a rule names it by, before its record name, which
    # others may be found by too
    _bank_name = None

    @classmethod
    def bank_open_domain(cls):
        "Return the domain of what is open"
        raise NotImplementedError

    @classmethod
    def bank_return_domain(cls):
        "Return the domain of what the bank may give back"
        return cls.bank_open_domain()

    @classmethod
    def bank_domain(cls):
        "Return the domain of what a statement line may be related to"
        return [
            (cls._bank_company, '=', Eval('company', -1)),
            If(Bool(Eval('party')),
                (cls._bank_party, '=', Eval('party', -1)),
                ()),
            If(Eval('statement_state') == 'draft',
                If(Eval('amount', 0) < 0 if cls._bank_sign > 0
                    else Eval('amount', 0) > 0,
                    cls.bank_return_domain(),
                    cls.bank_open_domain()),
                ()),
            ]

    @classmethod
    def bank_find(cls, company, name, party=None):
        "Return what is open of the name, and of the party if any, at most two"
        domain = [
            (cls._bank_company, '=', company.id),
            cls.bank_open_domain(),
            ]
        if party:
            domain.append((cls._bank_party, '=', party.id))
        for path in filter(None, [cls._bank_name, 'rec_name']):
            found = []
            for documents in grouped_slice(
                    cls.search([domain, (path, '=', name)]), SLICE):
                # What is paid may come before what is open
                found.extend(cls.bank_open(list(documents)))
                if len(found) > 1:
                    break
            if found:
                return found[:2]
        return []

    @classmethod
    def bank_open(cls, documents):
        "Return those of the documents of which something is to be paid"
        claims = cls.bank_claims(documents)
        open_ = open_lines({c for d_claims in claims.values()
                for c in d_claims})
        return [
            d for d in documents if any(open_[c] for c in claims[d])]

    @property
    def bank_party(self):
        "Who pays or is paid"
        record = self
        for name in self._bank_party.split('.'):
            record = getattr(record, name)
        return record

    @property
    def bank_account(self):
        "The account of what is open, if any"
        for claim in self.bank_claims([self])[self]:
            for line in open_lines([claim])[claim] or [claim]:
                return line.account

    @classmethod
    def bank_claims(cls, documents):
        "Return by document the lines in which it owes the money"
        raise NotImplementedError

    @classmethod
    def bank_settle(cls, lines):
        "Reconcile what the statement lines have completely paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        StatementLine = pool.get('account.statement.line')
        documents = list(dict.fromkeys(l.related_to for l in lines))
        claims = cls.bank_claims(documents)
        open_ = open_lines({c for d_claims in claims.values()
                for c in d_claims})
        to_reconcile = []
        for document in documents:
            money = Line.search([
                    ('origin.related_to', '=', str(document),
                        StatementLine.__name__),
                    ('reconciliation', '=', None),
                    ('move_state', '=', 'posted'),
                    ('debit', '>', 0),
                    ], order=[('id', 'ASC')])
            keys = defaultdict(lambda: ([], []))
            for claim in claims[document]:
                for line in open_[claim]:
                    keys[line.account, line.party][0].append(
                        (line, line.credit))
            for line in money:
                keys[line.account, line.party][1].append((line, line.debit))
            for debts, amounts in keys.values():
                to_reconcile.extend(complete_sets(debts, amounts))
        Line.reconcile(*to_reconcile)
