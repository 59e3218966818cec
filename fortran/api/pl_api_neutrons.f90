!> Facade: fast neutrons above columns of soil, on plain arrays.
module pl_api_neutrons
   use, intrinsic :: ieee_arithmetic, only: ieee_is_finite
   use pl_chunk, only: chunk_count, chunk_width, first_column, last_column
   use pl_chunk_load, only: load_chunk
   use pl_cosmic, only: cosmic_angles_type, cosmic_chunk
   use pl_error, only: error_convergence, error_input, error_type, raise_error, report
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: neutrons_cosmic

   integer, parameter :: nsite = 4 !! columns of a pack of the site

contains

   !> Counts, sensing depth and shares of the layers of COSMIC.
   subroutine neutrons_cosmic(secant, weight, thickness, density, water, site, extent, share, counts, shares, depth, &
                              ierr, errmsg)
      real(rk), intent(in) :: secant(:)       !! (nangle), 1/cosine of the ways up, at least 1 [1]
      real(rk), intent(in) :: weight(:)       !! (nangle), their weights, sum 1 [1]
      real(rk), intent(in), contiguous :: thickness(:, :) !! (ncolumn, nlayer) [m]
      real(rk), intent(in), contiguous :: density(:, :)   !! (ncolumn, nlayer), dry bulk density [kg m-3]
      real(rk), intent(in), contiguous :: water(:, :)     !! (ncolumn, nlayer), with ice, lattice, organic water [m3 m-3]
      real(rk), intent(in), contiguous :: site(:, :)      !! (ncolumn, 4): water above [kg m-2], N_0 [h-1], alpha [1],
                                                          !! L3 [g cm-2]
      real(rk), intent(in) :: extent          !! depth to which neutrons are counted [m]
      real(rk), intent(in) :: share           !! share of the neutrons from the soil that the depth names [1]
      real(rk), intent(inout) :: counts(:)    !! (ncolumn) [h-1]
      real(rk), intent(inout) :: shares(:, :) !! (ncolumn, nlayer), part of the counts that each layer makes [1]
      real(rk), intent(inout) :: depth(:)     !! (ncolumn), sensing depth [m]
      integer, intent(out) :: ierr                !! 0 or an error code
      character(len=512), intent(out) :: errmsg   !! sentence that belongs to the code
      type(error_type), allocatable :: error
      type(cosmic_angles_type) :: angles
      integer :: chunk, n, nchunk
      logical :: is_converged, all_converged
      call check_shapes(secant, weight, thickness, density, water, site, counts, shares, depth, error)
      if (.not. allocated(error)) call check_values(secant, thickness, density, water, site, extent, share, error)
      call report(error, ierr, errmsg)
      if (ierr /= 0) return
      angles = cosmic_angles_type(size(secant), secant, weight)
      n = size(thickness, 2)
      nchunk = chunk_count(size(thickness, 1))
      all_converged = .true.
      !$omp parallel do default(none) private(chunk, is_converged) reduction(.and.: all_converged) schedule(static) &
      !$omp shared(angles, thickness, density, water, site, extent, share, counts, shares, depth, n, nchunk)
      do chunk = 1, nchunk
         call one_chunk(chunk, n, angles, thickness, density, water, site, extent, share, counts, shares, depth, &
                        is_converged)
         all_converged = all_converged .and. is_converged
      end do
      !$omp end parallel do
      if (.not. all_converged) then
         call raise_error(error, error_convergence, "the sensing depth of neutrons did not converge in a column; check "// &
                          "its water and bulk density")
         call report(error, ierr, errmsg)
      end if
   end subroutine neutrons_cosmic

   !> One chunk of columns.
   subroutine one_chunk(chunk, n, angles, thickness, density, water, site, extent, share, counts, shares, depth, &
                        is_converged)
      integer, intent(in) :: chunk                        !! chunk index, from 1
      integer, intent(in) :: n                            !! layers [1]
      type(cosmic_angles_type), intent(in) :: angles      !! ways up
      real(rk), intent(in), contiguous :: thickness(:, :) !! [m]
      real(rk), intent(in), contiguous :: density(:, :)   !! [kg m-3]
      real(rk), intent(in), contiguous :: water(:, :)     !! [m3 m-3]
      real(rk), intent(in), contiguous :: site(:, :)      !! as in neutrons_cosmic
      real(rk), intent(in) :: extent                      !! [m]
      real(rk), intent(in) :: share                       !! [1]
      real(rk), intent(inout) :: counts(:)                !! [h-1]
      real(rk), intent(inout) :: shares(:, :)             !! [1]
      real(rk), intent(inout) :: depth(:)                 !! [m]
      logical, intent(out) :: is_converged                !! whether the sensing depths are found
      real(rk), dimension(chunk_width, n) :: lane_thickness, lane_density, lane_water, lane_shares
      real(rk) :: lane_site(chunk_width, nsite), lane_counts(chunk_width), lane_depth(chunk_width)
      integer :: count, first, last
      call load_chunk(chunk, n, thickness, lane_thickness)
      call load_chunk(chunk, n, density, lane_density)
      call load_chunk(chunk, n, water, lane_water)
      call load_chunk(chunk, nsite, site, lane_site)
      call cosmic_chunk(n, angles, lane_thickness, lane_density, lane_water, lane_site(:, 1), lane_site(:, 2), &
                        lane_site(:, 3), lane_site(:, 4), extent, share, lane_counts, lane_shares, lane_depth, &
                        is_converged)
      first = first_column(chunk)
      last = last_column(chunk, size(thickness, 1))
      count = last - first + 1
      counts(first:last) = lane_counts(:count)
      shares(first:last, :) = lane_shares(:count, :)
      depth(first:last) = lane_depth(:count)
   end subroutine one_chunk

   !> Shapes of all arrays.
   subroutine check_shapes(secant, weight, thickness, density, water, site, counts, shares, depth, error)
      real(rk), intent(in) :: secant(:)                   !! as in neutrons_cosmic, as all below
      real(rk), intent(in) :: weight(:)
      real(rk), intent(in) :: thickness(:, :)
      real(rk), intent(in) :: density(:, :)
      real(rk), intent(in) :: water(:, :)
      real(rk), intent(in) :: site(:, :)
      real(rk), intent(in) :: counts(:)
      real(rk), intent(in) :: shares(:, :)
      real(rk), intent(in) :: depth(:)
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      integer :: ncolumn
      ncolumn = size(thickness, 1)
      if (size(secant) < 1 .or. size(weight) /= size(secant)) then
         call raise_error(error, error_input, "angles must have one weight each, and there must be at least one")
      else if (size(thickness, 2) < 1) then
         call raise_error(error, error_input, "columns must have at least one layer")
      else if (any(shape(density) /= shape(thickness)) .or. any(shape(water) /= shape(thickness)) .or. &
               any(shape(shares) /= shape(thickness))) then
         call raise_error(error, error_input, "thickness, bulk density, water and shares must have the same shape")
      else if (any(shape(site) /= [ncolumn, nsite]) .or. size(counts) /= ncolumn .or. size(depth) /= ncolumn) then
         call raise_error(error, error_input, "values of the site, counts and depths must have one entry per column")
      end if
   end subroutine check_shapes

   !> Physical bounds of all values.
   subroutine check_values(secant, thickness, density, water, site, extent, share, error)
      real(rk), intent(in) :: secant(:)                   !! as in neutrons_cosmic, as all below
      real(rk), intent(in) :: thickness(:, :)
      real(rk), intent(in) :: density(:, :)
      real(rk), intent(in) :: water(:, :)
      real(rk), intent(in) :: site(:, :)
      real(rk), intent(in) :: extent
      real(rk), intent(in) :: share
      type(error_type), allocatable, intent(out) :: error !! what is wrong
      real(rk), parameter :: densest = 4000.0_rk          !! above any rock of the crust [kg m-3]
      character(len=*), parameter :: to_do = "; check the units"
      if (.not. all(is_within(secant, 1.0_rk, huge(1.0_rk)))) then
         call raise_error(error, error_input, "1/cosine of an angle must be at least 1")
      else if (.not. all(is_within(thickness, tiny(1.0_rk), huge(1.0_rk)))) then
         call raise_error(error, error_input, "thickness of a layer must be above 0 m"//to_do)
      else if (.not. all(is_within(density, tiny(1.0_rk), densest))) then
         call raise_error(error, error_input, "bulk density must lie above 0 and up to 4000 kg m-3"//to_do)
      else if (.not. all(is_within(water, 0.0_rk, 2.0_rk))) then
         call raise_error(error, error_input, "soil, lattice and organic water together must lie between 0 and 2 m3 m-3"// &
                          to_do)
      else if (.not. all(is_within(site(:, 1), 0.0_rk, huge(1.0_rk)))) then
         call raise_error(error, error_input, "water above the ground must be at least 0 kg m-2"//to_do)
      else if (.not. all(is_within(site(:, 2:), tiny(1.0_rk), huge(1.0_rk)))) then
         call raise_error(error, error_input, "N, alpha and L3 of a site must be above 0; the relations of Shuttleworth et "// &
                          "al. hold for bulk densities of about 1000 to 2000 kg m-3, give alpha and L3 elsewhere")
      else if (.not. (extent > 0.0_rk .and. share > 0.0_rk .and. share < 1.0_rk)) then
         call raise_error(error, error_input, "the depth of counting must be above 0 m, the share of the sensing depth "// &
                          "between 0 and 1")
      end if
   end subroutine check_values

   !> Whether a value lies within bounds; NaN does not, and is not compared, which the traps of a checked build would stop.
   pure elemental function is_within(value, low, high) result(within)
      real(rk), intent(in) :: value !! any
      real(rk), intent(in) :: low   !! least
      real(rk), intent(in) :: high  !! largest
      logical :: within
      within = ieee_is_finite(value)
      if (within) within = value >= low .and. value <= high
   end function is_within

end module pl_api_neutrons
