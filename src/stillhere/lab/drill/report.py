"""placeholder"""
def page(rounds): return ""
