!> Ensemble Kalman filter with localised covariances (LEnKF).
!>
!> Houtekamer and Mitchell (2001), Mon. Weather Rev. 129, 123-137, eqs. 5 and 6: the weight multiplies the sample
!> covariances of predictions with predictions and with the state, w o (P H^T) and w o (H P H^T). The system
!> (w o S S^T/(N-1) + I) Z = D of the whitened observations is sparse, as weights end at the radius, and is solved for
!> all members at once by conjugate gradients with Jacobi's preconditioner (Saad 2003, Iterative Methods for Sparse
!> Linear Systems, algorithm 9.1). It is positive definite for a taper that is a correlation function (Gaspari and
!> Cohn); a cut-off is none, and the iteration says so. State elements follow by regression, see pl_local_regression.
module pl_covariance_filter
   use pl_error, only: error_convergence, error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_local_regression, only: change_type
   use pl_localisation, only: localisation_type
   use pl_localisation_weights, only: localisation_weight
   use pl_observation_weights, only: pair_weight
   implicit none (type, external)
   private
   public :: solve_representers

   integer, parameter :: max_iterations = 3000       !! of the conjugate gradients; tens are usual
   real(rk), parameter :: tolerance = 1.0e-10_rk     !! residual over right-hand side [1]

   !> Symmetric sparse matrix, all entries row by row.
   type :: sparse_type
      integer, allocatable :: start(:)    !! (n + 1), first entry of a row
      integer, allocatable :: column(:)   !! column of each entry
      real(rk), allocatable :: value(:)   !! [1]
      real(rk), allocatable :: diagonal(:) !! (n) [1]
   end type sparse_type

contains

   !> Solve for what each member's observations ask of the state.
   subroutine solve_representers(localisation, nthread, anomalies, innovations, all, error)
      type(localisation_type), intent(in) :: localisation
      integer, intent(in) :: nthread                      !! OpenMP threads [1]
      real(rk), intent(in) :: anomalies(:, :)             !! S, (nmember, nobs), inflated, over the error deviation [1]
      real(rk), intent(in) :: innovations(:, :)           !! D, (nmember, nobs), perturbed, over the error deviation [1]
      type(change_type), intent(out) :: all               !! for the regression of the state
      type(error_type), allocatable, intent(out) :: error !! not enough memory, not positive definite, no convergence
      type(sparse_type) :: matrix
      integer :: stat
      if (.not. localisation%by_place .or. localisation%has_correlation) then
         call raise_error(error, error_input, "localised covariances need coordinates of the observations and errors &
            &that are not correlated")
         return
      end if
      call build_matrix(localisation, anomalies, matrix, error)
      if (allocated(error)) return
      allocate (all%sensitivity(size(anomalies, 1), size(anomalies, 2)), stat=stat)
      if (stat == 0) allocate (all%shift(size(anomalies, 2)), stat=stat)
      if (stat == 0) allocate (all%change, mold=all%sensitivity, stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the observations of a localised covariance")
         return
      end if
      all%is_serial = .false.
      all%shift = 0.0_rk
      all%sensitivity = anomalies/real(size(anomalies, 1) - 1, rk)
      call conjugate_gradients(matrix, nthread, innovations, all%change, error)
   end subroutine solve_representers

   !> Localised covariance of the predictions in units of the errors, plus the identity.
   subroutine build_matrix(localisation, anomalies, matrix, error)
      type(localisation_type), intent(in) :: localisation
      real(rk), intent(in) :: anomalies(:, :)             !! (nmember, nobs) [1]
      type(sparse_type), intent(out) :: matrix
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk), allocatable :: distance(:)
      real(rk) :: degrees, weight
      integer, allocatable :: found(:)
      integer :: i, j, k, n, nfound, nobs, pass, stat
      nobs = size(anomalies, 2)
      degrees = real(size(anomalies, 1) - 1, rk)
      allocate (matrix%start(nobs + 1), stat=stat)
      if (stat == 0) allocate (matrix%diagonal(nobs), stat=stat)
      if (stat == 0) allocate (found(nobs), stat=stat)
      if (stat == 0) allocate (distance(nobs), stat=stat)
      do pass = 1, 2 ! counts, then fills
         n = 0
         if (stat == 0) then
            do i = 1, nobs
               if (stat /= 0) exit
               matrix%start(i) = n + 1
               call localisation%find_place(i, found, distance, nfound)
               do j = 1, nfound
                  k = found(j)
                  ! the mean radius of two observations keeps the matrix symmetric
                  weight = localisation_weight(distance(j), 0.5_rk*(localisation%radius(i) + localisation%radius(k)), &
                                               max(localisation%taper(i), localisation%taper(k)))
                  weight = pair_weight(localisation, i, k, weight, 0.5_rk*(localisation%depth_radius(i) + &
                                       localisation%depth_radius(k)), anomalies(:, i), anomalies(:, k))
                  if (weight <= 0.0_rk) cycle
                  if (n == huge(n)) stat = 1 ! entries are counted by default integers
                  if (stat /= 0) exit
                  n = n + 1
                  if (pass == 1) cycle
                  matrix%column(n) = k
                  matrix%value(n) = weight*dot_product(anomalies(:, i), anomalies(:, k))/degrees
                  if (k /= i) cycle
                  matrix%value(n) = matrix%value(n) + 1.0_rk
                  matrix%diagonal(i) = matrix%value(n)
               end do
            end do
            matrix%start(nobs + 1) = n + 1
            if (pass == 1 .and. stat == 0) allocate (matrix%column(n), stat=stat)
            if (pass == 1 .and. stat == 0) allocate (matrix%value(n), stat=stat)
         end if
      end do
      if (stat /= 0) then
         call raise_error(error, error_state, "not enough memory for the covariance of the observations within the &
            &radius of each other; use a smaller radius, or enkf for no localisation")
      end if
   end subroutine build_matrix

   !> Solve for all members; each member has its own step lengths.
   subroutine conjugate_gradients(matrix, nthread, right, x, error)
      type(sparse_type), intent(in) :: matrix
      integer, intent(in) :: nthread                      !! OpenMP threads [1]
      real(rk), intent(in) :: right(:, :)                 !! (nmember, nobs) [1]
      real(rk), intent(out) :: x(:, :)                    !! (nmember, nobs) [1]
      type(error_type), allocatable, intent(out) :: error !! not positive definite, no convergence
      real(rk), dimension(size(right, 1)) :: alpha, beta, curvature, goal, rz, square
      real(rk), allocatable :: p(:, :), q(:, :), r(:, :)
      integer :: i, iteration, nobs
      nobs = size(right, 2)
      allocate (p, r, source=right)
      allocate (q, mold=right)
      x = 0.0_rk
      goal = 0.0_rk
      rz = 0.0_rk
      do i = 1, nobs
         p(:, i) = r(:, i)/matrix%diagonal(i)
         goal = goal + r(:, i)*r(:, i)
         rz = rz + r(:, i)*p(:, i)
      end do
      goal = tolerance**2*goal
      do iteration = 1, max_iterations
         call multiply(matrix, nthread, p, q)
         curvature = 0.0_rk
         do i = 1, nobs
            curvature = curvature + p(:, i)*q(:, i)
         end do
         if (any(curvature <= 0.0_rk .and. rz > 0.0_rk)) then
            call raise_error(error, error_input, "the localised covariance is not positive definite; use the taper &
               &gaspari_cohn and one radius for all observations, or letkf")
            return
         end if
         alpha = 0.0_rk
         where (rz > 0.0_rk) alpha = rz/curvature
         square = 0.0_rk
         beta = 0.0_rk
         do i = 1, nobs
            x(:, i) = x(:, i) + alpha*p(:, i)
            r(:, i) = r(:, i) - alpha*q(:, i)
            square = square + r(:, i)*r(:, i)
            beta = beta + r(:, i)*r(:, i)/matrix%diagonal(i)
         end do
         if (all(square <= goal)) return
         alpha = beta
         where (rz > 0.0_rk)
            beta = beta/rz
         else where
            beta = 0.0_rk
         end where
         rz = alpha
         do i = 1, nobs
            p(:, i) = r(:, i)/matrix%diagonal(i) + beta*p(:, i)
         end do
      end do
      call raise_error(error, error_convergence, "the conjugate gradients of the localised covariance did not converge in &
         &3000 iterations: very many observations share a radius, or their errors are far smaller than the spread; thin &
         &them, check the unit of the errors, or use letkf")
   end subroutine conjugate_gradients

   !> Product of the matrix with a vector for each member.
   subroutine multiply(matrix, nthread, x, y)
      type(sparse_type), intent(in) :: matrix
      integer, intent(in) :: nthread      !! OpenMP threads [1]
      real(rk), intent(in) :: x(:, :)     !! (nmember, nobs) [1]
      real(rk), intent(inout) :: y(:, :)  !! (nmember, nobs) [1]
      integer :: i, k
      !$omp parallel do num_threads(nthread) default(none) private(k) schedule(static) shared(matrix, x, y)
      do i = 1, size(x, 2)
         y(:, i) = 0.0_rk
         do k = matrix%start(i), matrix%start(i + 1) - 1
            y(:, i) = y(:, i) + matrix%value(k)*x(:, matrix%column(k))
         end do
      end do
      !$omp end parallel do
   end subroutine multiply

end module pl_covariance_filter
