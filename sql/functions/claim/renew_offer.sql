-- SPDX-License-Identifier: GPL-3.0-or-later
-- Offers a lease that was never confirmed once more: same attempt, the new request's token.
CREATE FUNCTION tfx.renew_offer(p_id uuid, p_attempt int, p_token uuid, p_boot text, p_lease_s int)
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tf.lease l
    SET token = p_token, boot = p_boot, lease_s = tfx.grant_seconds(l.queue, p_lease_s), offered_at = now(),
        lease_until = now() + make_interval(secs => tfx.find_rule('undelivered_s'))
    WHERE l.job_id = p_id;
    UPDATE tf.attempt a SET token = p_token, boot = p_boot
    WHERE a.job_id = p_id AND a.attempt = p_attempt;
END
$$;
