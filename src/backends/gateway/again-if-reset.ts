/**
 * A connection that is kept may be closed by the other side at the very moment when a request is sent on it. Such a
 * request is sent once more where it changes nothing; a write is not, since nobody knows whether it was taken.
 */
export async function againIfReset<T>(isRead: boolean, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!isRead || (error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    return attempt();
  }
}
