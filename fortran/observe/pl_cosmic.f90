!> Fast neutrons above the ground: the COSMIC operator of columns of layers, in closed form within a layer.
!>
!> Shuttleworth, Rosolem, Zreda and Franz (2013), Hydrol. Earth Syst. Sci. 17, 3205-3217, eqs. 1-4: high-energy neutrons
!> fade downwards, make fast neutrons where they meet soil and water, and these fade upwards on all slanted ways,
!>
!>    N = N_0 int exp(-a(z)) (alpha rho + w) A(x(z)) dz,   a = int rho/L1 + w/L2 dz,   x = int rho/L3 + w/L4 dz,
!>    A(x) = 2/pi int_0^(pi/2) exp(-x/cos(phi)) dphi,
!>
!> with dry bulk density rho, water w = liquid + ice + lattice and organic water [g cm-3], z [cm]. Others sum over layers
!> of 1 mm. Here rho and w are constant within a layer of the model, and for each angle
!>
!>    int exp(-a - x/cos(phi)) dz = (E_top - E_bottom)/(da/dz + dx/dz/cos(phi)),   E = exp(-a - x/cos(phi)),
!>
!> is exact: a layer costs one exponential per angle, whatever its thickness, and the sum over angles is done last.
!> Angles and their weights are given by the caller (pyland/core/neutrons.py). Sums of 1 mm with the same angles differ by
!> less than 1e-4 (tests/unit/observe/neutrons/test_cosmic.py).
!>
!> Water above the ground (snow, water on leaves, ponds) is a first layer without soil. What lies below the deepest layer
!> has the density and the water of that layer, down to `extent`.
module pl_cosmic
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: cosmic_angles_type, cosmic_chunk

   real(rk), parameter :: soil_fast = 161.98621864_rk  !! L1, fading of high-energy neutrons in soil [g cm-2]
   real(rk), parameter :: water_fast = 129.14558985_rk !! L2, in water [g cm-2]
   real(rk), parameter :: water_slow = 3.1627190566_rk !! L4, fading of fast neutrons in water [g cm-2]
   real(rk), parameter :: centimetres = 100.0_rk       !! of a metre [cm m-1]
   real(rk), parameter :: mass_factor = 0.001_rk       !! kg m-3 to g cm-3
   real(rk), parameter :: areal_factor = 0.1_rk        !! kg m-2 to g cm-2

   integer, parameter :: depth_iterations = 40          !! of the sensing depth; it takes about five
   real(rk), parameter :: depth_tolerance = 1.0e-9_rk   !! share of the counts at which it ends [1]

   !> Angles of the ways up.
   type :: cosmic_angles_type
      integer :: n = 0                    !! number of angles
      real(rk), allocatable :: secant(:)  !! 1/cos(phi) [1]
      real(rk), allocatable :: weight(:)  !! weights of the mean over the angles, sum 1 [1]
   end type cosmic_angles_type

contains

   !> Counts, sensing depth and shares of the layers of a chunk of columns.
   pure subroutine cosmic_chunk(n, angles, thickness, density, water, above, intensity, creation, soil_slow, extent, &
                                share, counts, share_layer, depth, is_converged)
      integer, intent(in) :: n                        !! layers [1]
      type(cosmic_angles_type), intent(in) :: angles  !! ways up
      real(rk), intent(in) :: thickness(w, n)         !! of the layers [m]
      real(rk), intent(in) :: density(w, n)           !! dry bulk density [kg m-3]
      real(rk), intent(in) :: water(w, n)             !! liquid, ice, lattice and organic water [m3 m-3]
      real(rk), intent(in) :: above(w)                !! water above the ground [kg m-2]
      real(rk), intent(in) :: intensity(w)            !! N_0 of the site [h-1]
      real(rk), intent(in) :: creation(w)             !! alpha, neutrons made by soil relative to water [1]
      real(rk), intent(in) :: soil_slow(w)            !! L3, fading of fast neutrons in soil [g cm-2]
      real(rk), intent(in) :: extent                  !! depth to which neutrons are counted [m]
      real(rk), intent(in) :: share                   !! share of the neutrons from the soil that the depth names [1]
      real(rk), intent(out) :: counts(w)              !! [unit of intensity]
      real(rk), intent(out) :: share_layer(w, n)      !! part of the counts that each layer makes [1]
      real(rk), intent(out) :: depth(w)               !! depth above which `share` of those from the soil are made [m]
      logical, intent(out) :: is_converged            !! whether the iteration of the depth ended within its bound
      real(rk) :: source(w, n), fade(w, n), slow(w, n), span(w, n), upper(w, angles%n), soil(w), reach(w), made(w)
      real(rk) :: lower, rate
      integer :: i, j, k
      counts = 0.0_rk
      do j = 1, angles%n ! water alone: density 1 g cm-3, so its thickness is its mass
         !$omp simd private(rate)
         do i = 1, w
            rate = 1.0_rk/water_fast + angles%secant(j)/water_slow
            upper(i, j) = exp(-areal_factor*above(i)*rate)
            counts(i) = counts(i) + angles%weight(j)*(1.0_rk - upper(i, j))/rate
         end do
      end do
      soil = 0.0_rk
      reach = 0.0_rk
      do k = 1, n
         !$omp simd private(lower)
         do i = 1, w
            fade(i, k) = mass_factor*density(i, k)/soil_fast + water(i, k)/water_fast
            slow(i, k) = mass_factor*density(i, k)/soil_slow(i) + water(i, k)/water_slow
            source(i, k) = creation(i)*mass_factor*density(i, k) + water(i, k)
            lower = merge(extent, min(reach(i) + thickness(i, k), extent), k == n)
            span(i, k) = centimetres*(lower - reach(i))
            reach(i) = lower
         end do
         made = 0.0_rk
         do j = 1, angles%n
            !$omp simd private(lower, rate)
            do i = 1, w
               rate = fade(i, k) + angles%secant(j)*slow(i, k)
               lower = upper(i, j)*exp(-span(i, k)*rate)
               made(i) = made(i) + angles%weight(j)*(upper(i, j) - lower)/rate
               upper(i, j) = lower
            end do
         end do
         !$omp simd
         do i = 1, w
            share_layer(i, k) = source(i, k)*made(i)
            soil(i) = soil(i) + share_layer(i, k)
         end do
      end do
      counts = counts + soil
      call sensing_depth(n, angles, source, fade, slow, span, above, share, soil, share_layer, depth, is_converged)
      do k = 1, n
         share_layer(:, k) = share_layer(:, k)/counts
      end do
      counts = intensity*counts
   end subroutine cosmic_chunk

   !> Depth above which `share` of the neutrons from the soil are made: the layer from the sums of the layers, and within
   !> it Newton's method on the closed form, halving the bracket where a step would leave it.
   pure subroutine sensing_depth(n, angles, source, fade, slow, span, above, share, soil, made, depth, is_converged)
      integer, intent(in) :: n                        !! layers [1]
      type(cosmic_angles_type), intent(in) :: angles  !! ways up
      real(rk), intent(in) :: source(w, n)            !! fast neutrons made, alpha rho + w [g cm-3]
      real(rk), intent(in) :: fade(w, n)              !! da/dz [cm-1]
      real(rk), intent(in) :: slow(w, n)              !! dx/dz [cm-1]
      real(rk), intent(in) :: span(w, n)              !! thickness within the extent [cm]
      real(rk), intent(in) :: above(w)                !! [kg m-2]
      real(rk), intent(in) :: share                   !! [1]
      real(rk), intent(in) :: soil(w)                 !! neutrons from the soil over the intensity [1]
      real(rk), intent(in) :: made(w, n)              !! those of each layer [1]
      real(rk), intent(out) :: depth(w)               !! [m]
      logical, intent(out) :: is_converged            !! whether all lanes ended within the bound
      real(rk), dimension(w) :: a, x, begin, wanted, low, high, at, left, mass, slope, here_source, here_fade, here_slow
      real(rk) :: top(w, angles%n), rate, now
      integer :: layer(w), i, iteration, j, k
      layer = 1
      wanted = share*soil
      begin = 0.0_rk
      a = areal_factor*above/water_fast
      x = areal_factor*above/water_slow
      do k = 1, n - 1 ! down to the layer of each lane
         do i = 1, w
            if (layer(i) /= k .or. made(i, k) >= wanted(i)) cycle
            layer(i) = k + 1
            wanted(i) = wanted(i) - made(i, k)
            begin(i) = begin(i) + span(i, k)
            a(i) = a(i) + fade(i, k)*span(i, k)
            x(i) = x(i) + slow(i, k)*span(i, k)
         end do
      end do
      do i = 1, w
         here_source(i) = source(i, layer(i))
         here_fade(i) = fade(i, layer(i))
         here_slow(i) = slow(i, layer(i))
         high(i) = span(i, layer(i))
      end do
      do j = 1, angles%n
         !$omp simd
         do i = 1, w
            top(i, j) = angles%weight(j)*exp(-a(i) - angles%secant(j)*x(i))
         end do
      end do
      low = 0.0_rk
      at = 0.5_rk*high
      left = huge(1.0_rk)
      do iteration = 1, depth_iterations
         mass = 0.0_rk
         slope = 0.0_rk
         do j = 1, angles%n
            !$omp simd private(now, rate)
            do i = 1, w
               rate = here_fade(i) + angles%secant(j)*here_slow(i)
               now = top(i, j)*exp(-at(i)*rate)
               mass(i) = mass(i) + (top(i, j) - now)/rate
               slope(i) = slope(i) + now
            end do
         end do
         do i = 1, w
            if (abs(left(i)) <= depth_tolerance*soil(i)) cycle ! done: stays, whatever other lanes do
            left(i) = here_source(i)*mass(i) - wanted(i)
            if (abs(left(i)) <= depth_tolerance*soil(i)) cycle
            if (left(i) > 0.0_rk) then
               high(i) = at(i)
            else
               low(i) = at(i)
            end if
            if (abs(left(i)) < here_source(i)*slope(i)*(high(i) - low(i))) then
               at(i) = at(i) - left(i)/(here_source(i)*slope(i))
            else
               at(i) = 0.5_rk*(low(i) + high(i))
            end if
         end do
         if (all(abs(left) <= depth_tolerance*soil)) exit
      end do
      is_converged = all(abs(left) <= depth_tolerance*soil)
      depth = (begin + at)/centimetres
   end subroutine sensing_depth

end module pl_cosmic
