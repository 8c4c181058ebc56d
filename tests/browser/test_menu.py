# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import pytest
from sao import ClientError

MENU = [
    'Members', 'Shares', 'Patronage', 'Commons', 'Meetings', 'Reporting',
    'Configuration']


class Visit:
    "Look at all that an entry of the menu leads to"

    def __init__(self, sao, shots, path):
        self.sao = sao
        self.path = path
        self.name = shots / 'menu-{}'.format(
            '-'.join(path[1:]).lower().replace(' ', '-'))
        self.found = []

    def look(self, name=''):
        self.sao.shot(f'{self.name}{name}.png')
        self.found.extend(
            f"{' / '.join(self.path)}{name}: {fault}"
            for fault in self.sao.faults())

    def visit(self):
        "Return whether there is something to visit"
        sao = self.sao
        sao.open_menu(*self.path)
        if sao.has_dialog():
            self.look()
            sao.cancel()
            return True
        if not sao.has_tab():
            return False
        if sao.is_board():
            self.look()
            sao.close()
            return True
        sao.open_all()
        self.look()
        if sao.open_first():
            self.look_at_record()
        for number, view in enumerate(sao.views()):
            if view != 'form':
                self.look(f'-{number}-{view}')
        sao.close()
        return True

    def look_at_record(self):
        sao = self.sao
        self.look('-form')
        for number, _ in enumerate(sao.pages()):
            self.look(f'-form-{number}')
        for label in sao.entries('relate'):
            sao.run('relate', label)
            self.look(f"-relate-{label.lower().replace(' ', '-')}")
            sao.close()


@pytest.mark.parametrize('label', [*MENU, 'others'])
def test_menu(after, shots, label):
    """Every entry, view and page of a first record opens without a
    complaint, and nothing is without a name"""
    if label in MENU:
        paths = after.unfold_menu('Cooperative', label)
        assert len(paths) > 1
    else:
        paths = [
            path for path in after.unfold_menu('Cooperative')
            if not set(path[1:2]) & set(MENU)]
    errors = []
    for path in paths:
        visit = Visit(after, shots, path)
        leaf = len(path) > 1 and not any(
            p[:len(path)] == path and p != path for p in paths)
        try:
            if not visit.visit() and leaf:
                errors.append(f"{' / '.join(path)}: nothing opens")
        except ClientError as error:
            errors.append(f"{' / '.join(path)}: {error}")
            after.login('admin', 'cooperative')
        errors.extend(visit.found)
    assert not errors, '\n'.join(errors)
